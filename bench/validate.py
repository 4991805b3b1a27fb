"""`./longzheng bench validate`: full validation of unknown files of one revision beside plain pyHanko and EU DSS."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from bench.eu_dss import validate_with_dss
from bench.measure import Samples, machine, say
from bench.plain_pyhanko import PlainPyHanko
from bench.validators import VALIDATORS
from bench.workbench import Workbench, workbench
from cert_registry.signing.fast_sealing import FastSealer
from cert_registry.signing.sealing import PadesLevel, Sealer
from verify_api.validation import TrustAnchors, validate_pdf

TARGET = 3.0
_MANY_SIGNATURES = 25
_MANY_LIMIT_S = 2.0
_FILES = (
    12  # different files; the seal, its CA and its answers are the same, as in the files of one authority
)
_ROOT = Path(__file__).resolve().parent.parent


def run(*, rounds: int, slot_s: float, with_dss: bool, long: bool) -> dict[str, object]:
    """Measure; returns what `--json` prints. `long` changes nothing here."""
    del long
    cases: dict[str, object] = {}
    report: dict[str, object] = {"machine": machine(), "cases": cases, "target": TARGET}
    with workbench() as bench, tempfile.TemporaryDirectory() as name:
        for algorithm in bench.seals:
            folder = Path(name) / algorithm
            _write_files(bench, algorithm, folder)
            say(f"{algorithm} B_LT")
            samples = _take_turns(folder, rounds=rounds, slot_s=slot_s)
            dss = validate_with_dss(folder, seconds=max(slot_s * rounds, 1.0)) if with_dss else None
            cases[f"{algorithm} B_LT"] = _told(samples, dss)
        report["profile of ours, p256 B_LT"] = _profile(Path(name) / "p256")
        report["file of 25 signatures"] = _many(bench)
    return report


def _write_files(bench: Workbench, algorithm: str, folder: Path) -> None:
    folder.mkdir()
    services = bench.services
    sealer = FastSealer(
        Sealer(pki=services.pki, tsa=services.tsa, ocsp=services.ocsp, crls=services.crls), services.tsa
    )
    for number in range(_FILES):
        sealed = sealer.seal(
            bench.page.pdf,
            credentials=bench.seals[algorithm],
            appearance=bench.appearance,
            level=PadesLevel.B_LT,
            now=datetime.now(UTC),
        )
        (folder / f"{number:02}.pdf").write_bytes(sealed.pdf)
    (folder / "trust.pem").write_bytes(_trust(bench))


def _trust(bench: Workbench) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in bench.services.pki.anchors())


def _take_turns(folder: Path, *, rounds: int, slot_s: float) -> dict[str, Samples]:
    samples = {name: Samples() for name in VALIDATORS}
    with ExitStack() as stack:
        peers = {name: stack.enter_context(_process(name, folder)) for name in VALIDATORS}
        for number in range(rounds):
            for name, peer in peers.items():
                told = _ask(peer, str(slot_s))
                samples[name].cpu_ms.append(told["cpu_ms"])
                samples[name].wall_ms.append(told["wall_ms"])
            say(f"round {number + 1} of {rounds}")
    return samples


@contextmanager
def _process(name: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.validators", name, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    )
    with process:
        yield process
        if process.stdin is not None:
            process.stdin.close()


def _ask(process: "subprocess.Popen[str]", line: str) -> dict[str, float]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a validator without pipes")
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer: dict[str, float] = json.loads(process.stdout.readline())
    return answer


def _profile(folder: Path) -> object:
    with _process("ours", folder) as process:
        return _ask(process, "profile")


def _told(samples: dict[str, Samples], dss: dict[str, float] | None) -> dict[str, object]:
    plain, ours = samples["plain pyHanko"].cpu, samples["ours"].cpu
    # CPU of an isolated validation is spent in children, so its wall time is told.
    told: dict[str, object] = {
        "cases": {name: one.to_json() for name, one in samples.items()},
        "ours to plain pyHanko": round(plain / ours, 2),
        "isolated to plain pyHanko, wall": round(
            samples["plain pyHanko"].wall / samples["ours, isolated"].wall, 2
        ),
        "reached": plain / ours >= TARGET,
    }
    if dss is not None:
        told["eu_dss"] = dss
        told["ours to EU DSS"] = round(dss["cpu_ms"] / ours, 2)
    return told


def _many(bench: Workbench) -> dict[str, object]:
    """Validate a file that was signed many times, each with a time stamp and evidence, at most two revisions each."""
    signer, data = PlainPyHanko(bench, "p256"), bench.page.pdf
    for number in range(_MANY_SIGNATURES):
        data = signer.approve(data, f"approval-{number}")
    trust = TrustAnchors.from_pem([_trust(bench)])
    started = time.process_time()
    report = validate_pdf(data, trust=trust, at=None, now=datetime.now(UTC))
    seconds = time.process_time() - started
    return {
        "signatures": len(report.signatures),
        "bytes": len(data),
        "cpu_s": round(seconds, 2),
        "limit_s": _MANY_LIMIT_S,
        "reached": seconds <= _MANY_LIMIT_S,
    }


def table(report: dict[str, object]) -> str:
    """The report for people."""
    lines = [
        "CPU milliseconds for one file on one core (median), wall for isolated; × is against plain pyHanko",
        "",
    ]
    cases: dict[str, dict] = report["cases"]  # type: ignore[assignment,type-arg]
    for key, told in cases.items():
        plain = told["cases"]["plain pyHanko"]
        lines.append(f"{key}   target {report['target']:.0f}×")
        for name, one in told["cases"].items():
            kind = "wall_ms" if name == "ours, isolated" else "cpu_ms"
            lines.append(f"  {name.ljust(16)} {one[kind]:8.2f}  ({plain[kind] / one[kind]:.2f}×)")
        if "eu_dss" in told:
            spent = told["eu_dss"]["cpu_ms"]
            lines.append(f"  {'EU DSS'.ljust(16)} {spent:8.2f}  ({plain['cpu_ms'] / spent:.2f}×)")
    lines += ["", "profile of ours, p256 B_LT"]
    told_by: list[dict] = report["profile of ours, p256 B_LT"]  # type: ignore[assignment,type-arg]
    lines += [f"  {one['own_ms']:.3f} ms  {one['function']}" for one in told_by]
    return "\n".join([*lines, "", f"file of 25 signatures: {report['file of 25 signatures']}"])
