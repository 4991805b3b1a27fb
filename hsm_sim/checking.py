"""``./longzheng ceremony``: whether what the transcript tells is what the tokens and `pki/` hold. Looks only.

1. The root key signed the transcript.
2. The plan under which the ceremony ran is the one that was approved.
3. Every key that it tells of is in its token, with that public half, made there and never able to leave it.
4. Every certificate that it tells of is there, is that one, is for that key, and was signed by its issuer.
5. The tokens hold no key that neither the transcript nor a seal in the registry of certificates accounts for.

While the root's PIN is away its key is not looked at; its certificate is. Exit codes: 0 it all fits, 1 it does not,
2 bad usage, 3 something cannot be read.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cert_registry.signing.errors import SigningError
from cert_registry.signing.pki.directory import ROOT, PkiDirectory
from hsm_sim.errors import CeremonyError
from hsm_sim.holdings import root_is_away
from hsm_sim.inspection import SEALED_IN, HeldKey, held_keys
from hsm_sim.plan import PLAN_FILE, Plan, read_plan
from hsm_sim.softhsm import configure, module_path, pin_file
from hsm_sim.transcript import Transcript, check_transcript

TRANSCRIPT = "ceremony-transcript.json"
_SEALS_TOKEN = "lz-seals"  # noqa: S105 - a label


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyReport:
    """What was found; `faults` is empty when it all fits."""

    keys: int
    certificates: int
    seal_keys: int
    root_away: bool
    witnesses: tuple[str, ...]
    faults: tuple[str, ...]


def check_ceremony(state_dir: Path) -> CeremonyReport:
    """Compare transcript, tokens and certificates of a state directory.

    Raises:
        CeremonyError: There is no transcript, or no root certificate.
        SigningError: A token does not answer.
    """
    return _Check(state_dir).report()


class _Check:
    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        text = PLAN_FILE.read_text(encoding="utf-8")
        self._plan: Plan = read_plan(text)
        self._plan_sha256 = hashlib.sha256(text.encode()).hexdigest()
        self._pki = PkiDirectory(state_dir / "pki")
        self._path = state_dir / "pki" / TRANSCRIPT
        if not self._path.is_file() or not self._pki.has(ROOT):
            raise CeremonyError(f"No ceremony was carried out in {state_dir}: run ./longzheng up.")
        self._transcript = Transcript.open(self._path)
        self._away = root_is_away(state_dir, self._plan, self._pki)

    def report(self) -> CeremonyReport:
        configure(self._state_dir)
        held = {label: self._held(label) for label in self._plan.tokens}
        made = [act for act in self._transcript.acts if act["act"] == "key made"]
        issued = [act for act in self._transcript.acts if act["act"] == "certificate issued"]
        faults = [
            *self._signature(),
            *self._plan_faults(),
            *self._key_faults(made, held),
            *self._certificate_faults(issued),
            *self._stray_keys(made, held),
        ]
        return CeremonyReport(
            keys=len(made),
            certificates=len(issued),
            seal_keys=len(held[_SEALS_TOKEN]),
            root_away=self._away,
            witnesses=tuple(
                str(act["name"]) for act in self._transcript.acts if act["act"] == "witness present"
            ),
            faults=tuple(faults),
        )

    def _held(self, label: str) -> dict[str, HeldKey]:
        if self._is_away(label):
            return {}
        keys = held_keys(module_path(), label, pin_file(self._state_dir, label))
        return {key.label: key for key in keys}

    def _is_away(self, token_label: str) -> bool:
        return self._away and token_label == self._plan.key_of(ROOT).token

    def _signature(self) -> Iterator[str]:
        root = self._pki.certificate(ROOT).public_key()
        if not isinstance(root, ec.EllipticCurvePublicKey):
            raise CeremonyError("The root's key is not an elliptic-curve key.")
        try:
            check_transcript(self._path, root)
        except CeremonyError as error:
            yield str(error)

    def _plan_faults(self) -> Iterator[str]:
        if self._transcript.heading.get("plan_sha256") != self._plan_sha256:
            yield f"The ceremony ran under another plan than {PLAN_FILE.name} as it is now."

    def _key_faults(self, made: list[dict[str, Any]], held: dict[str, dict[str, HeldKey]]) -> Iterator[str]:
        for act in made:
            token, label = str(act["token"]), str(act["key"])
            if self._is_away(token):
                continue
            key = held.get(token, {}).get(label)
            if key is None:
                yield f"The key {token}/{label} is not in its token."
                continue
            if key.public_key_sha256 != act.get("public_key_sha256"):
                yield f"The key {token}/{label} is another one than the transcript tells of."
            if key.protection != SEALED_IN:
                yield f"The key {token}/{label} could leave its token, or was not made there."

    def _certificate_faults(self, issued: list[dict[str, Any]]) -> Iterator[str]:
        for act in issued:
            name = str(act["certificate"])
            if not self._pki.has(name):
                yield f"The certificate {name} is not there."
                continue
            certificate = self._pki.certificate(name)
            if certificate.fingerprint(hashes.SHA256()).hex() != act["sha256"]:
                yield f"The certificate {name} is another one than the transcript tells of."
            elif not _issued_by(certificate, self._pki.certificate(str(act["issuer"]))):
                yield f"The certificate {name} was not signed by {act['issuer']}."
            yield from self._key_of_certificate(name, certificate)

    def _key_of_certificate(self, name: str, certificate: x509.Certificate) -> Iterator[str]:
        planned = next((one for one in self._plan.certificates if one.name == name), None)
        digest = _key_digest(certificate)
        keys = [act for act in self._transcript.acts if act["act"] == "key made"]
        told = {(act["token"], act["key"]): act.get("public_key_sha256") for act in keys}
        if planned is not None and told.get((planned.key.token, planned.key.label)) != digest:
            yield f"The certificate {name} is for another key than {planned.key.token}/{planned.key.label}."

    def _stray_keys(self, made: list[dict[str, Any]], held: dict[str, dict[str, HeldKey]]) -> Iterator[str]:
        told = {(act["token"], act["key"]) for act in made}
        for token, keys in held.items():
            for label, key in keys.items():
                if (token, label) in told:
                    continue
                if token == _SEALS_TOKEN and self._is_a_seal(label, key):
                    continue
                yield f"The key {token}/{label} is nobody's: neither the transcript nor a seal tells of it."

    def _is_a_seal(self, label: str, key: HeldKey) -> bool:
        """A seal's key has its certificate or request beside it and is as well protected as the ceremony's."""
        if key.protection != SEALED_IN:
            return False
        if self._pki.has(label):
            return _key_digest(self._pki.certificate(label)) == key.public_key_sha256
        request = self._pki.path / f"{label}.csr"
        try:
            asked = x509.load_pem_x509_csr(request.read_bytes())
        except (OSError, ValueError):
            return False
        return _key_digest(asked) == key.public_key_sha256


def _key_digest(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    der = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="longzheng ceremony", description="Compare the ceremony's transcript with the tokens."
    )
    parser.add_argument("--state-dir", type=Path, help="default: the state directory of this system")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args(argv)
    state_dir = (options.state_dir or _state_directory()).resolve()
    try:
        report = check_ceremony(state_dir)
    except (CeremonyError, SigningError) as error:
        if options.json:
            sys.stdout.write(json.dumps({"error": error.code, "reason": str(error)}) + "\n")
        sys.stderr.write(f"ceremony: {error}\n")
        return 3
    document = {
        "fits": not report.faults,
        "keys": report.keys,
        "certificates": report.certificates,
        "seal_keys": report.seal_keys,
        "root_away": report.root_away,
        "witnesses": list(report.witnesses),
        "faults": list(report.faults),
    }
    if options.json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(report)) + "\n")
    return 1 if report.faults else 0


def _lines(report: CeremonyReport) -> Iterator[str]:
    yield from report.faults
    away = "; the root's key was not looked at, its PIN is away" if report.root_away else ""
    verdict = "does not fit" if report.faults else "fits"
    yield (
        f"The transcript {verdict}: {report.keys} keys, {report.certificates} certificates,"
        f" {report.seal_keys} seal keys{away}."
    )
    if report.witnesses:
        yield f"Witnesses: {', '.join(report.witnesses)}."


def _state_directory() -> Path:
    return Path(os.environ.get("LONGZHENG_VAR") or Path(__file__).resolve().parent.parent / "var")


if __name__ == "__main__":
    sys.exit(main())
