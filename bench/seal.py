"""`./longzheng bench seal`: our sealers beside plain pyHanko, the bare token and EU DSS, in one run."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from bench.eu_dss import seal_with_dss
from bench.measure import Samples, interleaved, machine, profile, resident_bytes, say
from bench.plain_pyhanko import PlainPyHanko
from bench.workbench import Workbench, workbench
from cert_registry.signing.fast_sealing import FastSealer
from cert_registry.signing.release import check_before_release
from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.sealing import PadesLevel, Sealer

TARGETS = {"B_B": 20.0, "B_T": 20.0, "B_LT": 10.0, "B_LTA": 10.0}
_LONG_RUN = 10_000


class Cases:
    """The operations that are measured, for one algorithm."""

    def __init__(self, bench: Workbench, algorithm: str) -> None:
        services = bench.services
        self._bench = bench
        self._credentials = bench.seals[algorithm]
        self._anchors = services.pki.anchors()
        self._reference = Sealer(pki=services.pki, tsa=services.tsa, ocsp=services.ocsp, crls=services.crls)
        self._fast = FastSealer(self._reference, services.tsa)
        self._peer = PlainPyHanko(bench, algorithm)

    def at(self, level: PadesLevel) -> dict[str, Callable[[], object]]:
        """The cases of one level, by name."""
        return {
            "token alone": self._peer.bare_signature,
            "plain pyHanko": lambda: self._peer.seal(level),
            "reference path": lambda: self.seal(self._reference, level),
            "fast path": lambda: self.seal(self._fast, level),
            "fast path, released": lambda: self.released(level),
        }

    def seal(self, sealer: Sealer | FastSealer, level: PadesLevel) -> bytes:
        return sealer.seal(
            self._bench.page.pdf,
            credentials=self._credentials,
            appearance=self._bench.appearance,
            level=level,
            now=datetime.now(UTC),
        ).pdf

    def released(self, level: PadesLevel) -> bytes:
        """Seal, and check before release."""
        sealed = self.seal(self._fast, level)
        check_before_release(
            sealed,
            expected_digest=hashlib.sha256(sealed).digest(),
            certificate=self._credentials.certificate,
            anchors=self._anchors,
            now=datetime.now(UTC),
            content=SealedContent(
                page=self._bench.page.pdf,
                appearance=self._bench.appearance,
                with_evidence=level in {PadesLevel.B_LT, PadesLevel.B_LTA},
            ),
            stamped=level is not PadesLevel.B_B,
            archived=level is PadesLevel.B_LTA,
        )
        return sealed


def run(*, rounds: int, slot_s: float, with_dss: bool, long: bool) -> dict[str, object]:
    """Measure; returns what `--json` prints."""
    with workbench() as bench:
        report: dict[str, object] = {"machine": machine(), "page_bytes": len(bench.page.pdf), "levels": {}}
        levels: dict[str, object] = {}
        for algorithm in bench.seals:
            cases = Cases(bench, algorithm)
            for level in PadesLevel:
                say(f"{algorithm} {level.value}")
                samples = interleaved(cases.at(level), rounds=rounds, slot_s=slot_s)
                levels[f"{algorithm} {level.name}"] = _told(samples, TARGETS[level.name])
        report["levels"] = levels
        p256 = Cases(bench, "p256")
        report["profile of fast path, released, p256 B_LT"] = profile(
            lambda: p256.released(PadesLevel.B_LT), repeat=20
        )
        if with_dss:
            say("EU DSS")
            report["eu_dss p256 B_B"] = seal_with_dss(bench, seconds=max(slot_s * rounds, 1.0))
        if long:
            report["memory over 10,000 seals"] = _memory(p256)
    return report


def _told(samples: dict[str, Samples], target: float) -> dict[str, object]:
    plain = samples["plain pyHanko"].cpu
    fast, released = samples["fast path"].cpu, samples["fast path, released"].cpu
    return {
        "cases": {name: one.to_json() for name, one in samples.items()},
        "fast path to plain pyHanko": round(plain / fast, 1),
        "released to plain pyHanko": round(plain / released, 1),
        "share of the bare token": round(samples["token alone"].cpu / fast, 3),
        "target": target,
        "reached": plain / fast >= target,
    }


def _memory(cases: Cases) -> dict[str, int]:
    """Resident bytes after a thousand seals and after ten thousand."""
    seen: dict[str, int] = {}
    for number in range(1, _LONG_RUN + 1):
        cases.released(PadesLevel.B_LT)
        if number in {1000, _LONG_RUN}:
            seen[f"after {number}"] = resident_bytes()
            say(f"{number} seals")
    return seen


def table(report: dict[str, object]) -> str:
    """The report for people."""
    lines = ["CPU milliseconds for one seal on one core (median); × is against plain pyHanko", ""]
    names = ("token alone", "plain pyHanko", "reference path", "fast path", "fast path, released")
    lines.append("".join(["".ljust(14), *(name.rjust(22) for name in names), "target".rjust(9)]))
    levels: dict[str, dict] = report["levels"]  # type: ignore[assignment,type-arg]
    for key, told in levels.items():
        plain = told["cases"]["plain pyHanko"]["cpu_ms"]
        row = [key.ljust(14)]
        for name in names:
            spent = told["cases"][name]["cpu_ms"]
            row.append(f"{spent:.2f} ({plain / spent:.1f}×)".rjust(22))
        lines.append("".join([*row, f"{told['target']:.0f}×".rjust(9)]))
    for key, value in report.items():
        if key.startswith("eu_dss"):
            lines += ["", f"{key}: {value}"]
        elif key.startswith("profile"):
            lines += ["", key, *(f"  {one['own_ms']:.3f} ms  {one['function']}" for one in value)]  # type: ignore[attr-defined]
        elif key.startswith("memory"):
            lines += ["", f"{key}: {value}"]
    return "\n".join(lines)
