"""The key ceremony: makes tokens, keys and certificates as `ceremony.yaml` says.

Idempotent and resumable: every step looks first whether its result exists, so a ceremony that was broken off
is finished by running it again, and a finished one is left as it is.
"""

import argparse
import fcntl
import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import SigningError
from cert_registry.signing.pki.crl import CrlPublisher, parse_crl
from cert_registry.signing.pki.directory import ROOT, PkiDirectory
from cert_registry.signing.pki.issuing import Issuer, Subject, issue_certificate
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.token import Token
from hsm_sim.errors import CeremonyError, RootAway, TokenLost
from hsm_sim.holdings import lost, root_is_away, token_exists
from hsm_sim.inspection import SEALED_IN, held_keys, public_key_sha256
from hsm_sim.plan import PLAN_FILE, Plan, PlannedCertificate, PlannedKey, read_plan
from hsm_sim.softhsm import SOFTHSM_MODULE, configure, ensure_token, module_path, pin_file
from hsm_sim.transcript import Transcript, signature_file

_PAIRS = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ED25519, KeyAlgorithm.RSA_3072)


def run(state_dir: Path, public_url: str, *, witnesses: Sequence[str] = ()) -> None:
    """Carry out the ceremony, or what is left of it. Points this process's SoftHSM at the state directory.

    Args:
        state_dir: The state directory; writes `softhsm/`, `secrets/` and `pki/` in it.
        public_url: Address of the service, without a slash at the end; it goes into the certificates.
        witnesses: Names of who is present; they stand in the transcript when this run changes anything.

    Raises:
        CeremonyError: With a sentence that says what to do.
    """
    state_dir = state_dir.resolve()
    pki_dir = state_dir / "pki"
    pki_dir.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(pki_dir):
            _Ceremony(state_dir, public_url.rstrip("/"), tuple(witnesses)).run()
    except SigningError as error:
        raise CeremonyError(f"The ceremony stopped: {error} Run it again to finish it.") from error


class _Ceremony:
    def __init__(self, state_dir: Path, public_url: str, witnesses: tuple[str, ...]) -> None:
        text = PLAN_FILE.read_text(encoding="utf-8")
        self._state_dir = state_dir
        self._witnesses = witnesses
        self._public_url = public_url
        self._plan: Plan = read_plan(text)
        self._plan_sha256 = hashlib.sha256(text.encode()).hexdigest()
        self._pki = PkiDirectory(state_dir / "pki")
        self._transcript = Transcript.open(state_dir / "pki" / "ceremony-transcript.json")
        self._tokens: dict[str, Token] = {}
        self._root_away = root_is_away(state_dir, self._plan, self._pki)

    def run(self) -> None:
        self._refuse_when_something_is_lost()
        for label in self._plan.tokens:  # (1) tokens
            self._ensure_token(label)
        for key in self._plan.keys:  # (2) keys
            self._ensure_key(key)
        for certificate in self._plan.certificates:  # (3) certificates
            self._ensure_certificate(certificate)
        self._ensure_trust_list()  # (4) trust anchors and the root's revocation list
        self._ensure_root_crl()
        if self._transcript.changed or not self._is_signed():  # (5) transcript
            self._ask_for_root("the transcript")
            root = self._plan.key_of(ROOT)
            self._transcript.sign_and_write(
                self._tokens[root.token].signing_key(root.label),
                heading={
                    "plan_sha256": self._plan_sha256,
                    "public_url": self._public_url,
                    "pkcs11_module": module_path(),
                },
            )

    def _is_signed(self) -> bool:
        root = self._pki.certificate(ROOT).public_key()
        if self._root_away and not signature_file(self._transcript.path).is_file():
            return True  # a transcript from before, with its signature inside, until the root is back
        return isinstance(root, ec.EllipticCurvePublicKey) and self._transcript.is_signed_by(root)

    def _refuse_when_something_is_lost(self) -> None:
        """Before anything is made: a fresh token in the place of a lost one would hide the loss."""
        tokens = self._state_dir / "softhsm" / "tokens"
        if module_path() == SOFTHSM_MODULE and self._pki.has(ROOT) and not tokens.is_dir():
            raise TokenLost(
                f"{tokens} is not there, but pki/ has certificates of its keys: restore the tokens "
                "(softhsm/ and secrets/) from backup, then run it again."
            )
        configure(self._state_dir)
        for sentence in lost(self._state_dir):
            raise TokenLost(sentence)

    def _ask_for_root(self, purpose: str) -> None:
        """Whatever a ceremony makes goes into its transcript, and that is signed by the root."""
        if self._root_away:
            file = pin_file(self._state_dir, self._plan.key_of(ROOT).token)
            raise RootAway(f"The root is needed for {purpose}: bring {file} back for this ceremony.")

    def _ensure_token(self, label: str) -> None:
        file = pin_file(self._state_dir, label)
        if self._root_away and label == self._plan.key_of(ROOT).token:
            return
        if token_exists(label):
            if not file.is_file():
                raise TokenLost(
                    f"The token {label} exists but {file} does not: restore the file from backup."
                )
            self._tokens[label] = Token(module_path(), label, file)
        else:
            self._ask_for_root(f"the token {label}")
            self._tokens[label], _ = ensure_token(self._state_dir, label)
            self._note("token made", token=label)

    def _is_away(self, key: PlannedKey) -> bool:
        return self._root_away and key.token == self._plan.key_of(ROOT).token

    def _note(self, act: str, **details: object) -> None:
        now = datetime.now(UTC)
        if not self._transcript.changed:
            for name in self._witnesses:
                self._transcript.note("witness present", now=now, name=name)
        self._transcript.note(act, now=now, **details)

    def _ensure_key(self, key: PlannedKey) -> None:
        if self._is_away(key):
            return
        token = self._tokens[key.token]
        if token.has_key(key.label):
            return
        self._ask_for_root(f"the key {key.token}/{key.label}")
        token.generate(key.label, key.algorithm)
        details: dict[str, object] = {
            "token": key.token,
            "key": key.label,
            "algorithm": key.algorithm.value,
            "protection": SEALED_IN,
        }
        if key.algorithm in _PAIRS:
            details["public_key_sha256"] = public_key_sha256(token, key.label)
        self._refuse_weak_key(key)
        self._note("key made", **details)

    def _refuse_weak_key(self, key: PlannedKey) -> None:
        """What the transcript says of a key's protection is read back from the token first."""
        held = held_keys(module_path(), key.token, pin_file(self._state_dir, key.token))
        if not any(one.label == key.label and one.protection == SEALED_IN for one in held):
            raise TokenLost(
                f"The token {key.token} does not keep the key {key.label} inside: use another module."
            )

    def _ensure_certificate(self, planned: PlannedCertificate) -> None:
        name, key, issuer = planned.name, planned.key, planned.issuer
        if self._is_away(key):
            return  # it was certified before its PIN went
        public_key = self._tokens[key.token].public_key(key.label)
        if self._pki.has(name):
            if self._pki.certificate(name).public_key() != public_key:
                raise TokenLost(
                    f"The certificate {name} is for another key than {key.token}/{key.label}: "
                    "restore the token that belongs to it from backup."
                )
            return
        self._ask_for_root(f"the certificate {name}")
        issuer_key = self._plan.key_of(issuer)
        certificate = issue_certificate(
            profile=planned.profile,
            subject=Subject(common_name=planned.common_name, organisation=planned.organisation),
            public_key=public_key,
            issuer=Issuer(
                name=issuer,
                key=self._tokens[issuer_key.token].signing_key(issuer_key.label),
                certificate=None if issuer == name else self._pki.certificate(issuer),
            ),
            public_url=self._public_url,
            valid_for=planned.valid_for,
            now=datetime.now(UTC),
        )
        self._pki.add(name, certificate, issuer=issuer)
        self._note(
            "certificate issued",
            certificate=name,
            issuer=issuer,
            profile=planned.profile.name,
            serial_number=f"{certificate.serial_number:x}",
            sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        )

    def _ensure_trust_list(self) -> None:
        pem = self._pki.certificate(ROOT).public_bytes(Encoding.PEM)
        file = self._pki.path / "trust.pem"
        if not file.is_file() or file.read_bytes() != pem:
            write_durably(file, pem)

    def _ensure_root_crl(self) -> None:
        file = self._pki.path / f"{ROOT}.crl"
        now = datetime.now(UTC)
        if file.is_file():
            stored = parse_crl(file.read_bytes())
            listed = {entry.serial_number for entry in x509.load_der_x509_crl(stored.der)}
            revoked = {r.serial_number for r in self._pki.register.revocations(ROOT)}
            half = stored.this_update + (stored.next_update - stored.this_update) / 2
            if listed == revoked and now < (stored.next_update if self._root_away else half):
                return
        self._ask_for_root("its revocation list")
        root = self._plan.key_of(ROOT)
        publisher = CrlPublisher(self._pki, {ROOT: self._tokens[root.token].signing_key(root.label)})
        made = publisher.publish(ROOT, life=self._plan.root_crl_life, now=now)
        self._note("revocation list signed", issuer=ROOT, number=made.number)


@contextmanager
def _alone(pki_dir: Path) -> Iterator[None]:
    with (pki_dir / ".ceremony-lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CeremonyError("Another ceremony is running on this state directory.") from error
        yield


def main(arguments: list[str] | None = None) -> int:
    """Carry out the ceremony from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hsm_sim.ceremony", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--public-url", required=True)
    parser.add_argument(
        "--witness", action="append", default=[], help="name of somebody present; may be repeated"
    )
    options = parser.parse_args(arguments)
    try:
        run(options.state_dir, options.public_url, witnesses=options.witness)
    except CeremonyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
