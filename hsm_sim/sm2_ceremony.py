"""The ceremony of the SM2 hierarchy, for development alone: keys in software, see `unfit_sm2_keys`.

Idempotent like `ceremony`, which must have been carried out before: the SM2 keys are encrypted under its
key-encryption key. Writes `sm2-keys/` and `pki/sm2/` of the state directory.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.certificate_keys import public_key_of
from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import SigningError
from cert_registry.signing.keyring import DataCipher
from cert_registry.signing.pki.crl import CrlPublisher, parse_crl
from cert_registry.signing.pki.directory import ROOT, SEAL_CA, SERVICE_CA, PkiDirectory
from cert_registry.signing.pki.issuing import Issuer, Subject, issue_certificate
from cert_registry.signing.pki.profiles import PROFILES, CertificateProfile
from cert_registry.signing.sm2_services import PKI_PATH
from cert_registry.signing.token import Token
from cert_registry.signing.unfit_sm2_keys import UnfitForProductionSm2Keys
from hsm_sim.errors import CeremonyError, TokenLost
from hsm_sim.plan import Plan, read_plan
from hsm_sim.softhsm import module_path, pin_file

PLAN_FILE = Path(__file__).with_name("ceremony-sm2.yaml")
_SEAL_VALIDITY = timedelta(days=1096)


def run(state_dir: Path, public_url: str) -> None:
    """Carry out the ceremony, or what is left of it.

    Args:
        state_dir: The state directory, with the tokens of the other ceremony.
        public_url: Address of the service; certificates point to `/pki/sm2` below it.

    Raises:
        CeremonyError: With a sentence that says what to do.
    """
    try:
        hierarchy = Sm2Hierarchy(state_dir.resolve(), public_url)
        hierarchy.ensure(read_plan(PLAN_FILE.read_text(encoding="utf-8")))
    except SigningError as error:
        raise CeremonyError(f"The SM2 ceremony stopped: {error} Run it again to finish it.") from error


class Sm2Hierarchy:
    """Keys and certificates of the SM2 hierarchy.

    Args:
        state_dir: The state directory.
        public_url: Address of the service.
    """

    def __init__(self, state_dir: Path, public_url: str) -> None:
        data_keys = Token(module_path(), "lz-keys", pin_file(state_dir, "lz-keys"))
        self.keys = UnfitForProductionSm2Keys(state_dir / "sm2-keys", DataCipher(data_keys, "key-encryption"))
        directory = state_dir / "pki" / "sm2"
        directory.mkdir(parents=True, exist_ok=True)
        self.pki = PkiDirectory(directory)
        self._public_url = public_url.rstrip("/")

    def ensure(self, plan: Plan) -> None:
        """Make what is missing of the plan, the trust list and the root's revocation list."""
        for key in plan.keys:
            if not self.keys.has_key(key.label):
                self.keys.generate(key.label, key.algorithm)
        for planned in plan.certificates:
            self._certify(
                planned.name,
                key_label=planned.key.label,
                issuer=planned.issuer,
                profile=planned.profile,
                subject=Subject(common_name=planned.common_name, organisation=planned.organisation),
                valid_for=planned.valid_for,
            )
        write_durably(self.pki.path / "trust.pem", self.pki.certificate(ROOT).public_bytes(Encoding.PEM))
        self._ensure_root_crl(plan.root_crl_life)

    def equip_seal(self, key_label: str, subject: Subject) -> x509.Certificate:
        """Give a seal its SM2 key and certificate; what exists already is kept."""
        if not self.keys.has_key(key_label):
            self.keys.generate(key_label)
        return self._certify(
            key_label,
            key_label=key_label,
            issuer=SEAL_CA,
            profile=PROFILES["seal"],
            subject=subject,
            valid_for=_SEAL_VALIDITY,
        )

    def equip_maker(self, key_label: str, subject: Subject) -> x509.Certificate:
        """Give a further maker of e-seals its key and certificate; what exists already is kept."""
        if not self.keys.has_key(key_label):
            self.keys.generate(key_label)
        return self._certify(
            key_label,
            key_label=key_label,
            issuer=SERVICE_CA,
            profile=PROFILES["eseal-maker"],
            subject=subject,
            valid_for=_SEAL_VALIDITY,
        )

    def _certify(
        self,
        name: str,
        *,
        key_label: str,
        issuer: str,
        profile: CertificateProfile,
        subject: Subject,
        valid_for: timedelta,
    ) -> x509.Certificate:
        public_key = self.keys.public_key(key_label)
        if self.pki.has(name):
            found = self.pki.certificate(name)
            if public_key_of(found) != public_key:
                raise TokenLost(
                    f"The SM2 certificate {name} is for another key: restore sm2-keys/ from backup."
                )
            return found
        certificate = issue_certificate(
            profile=profile,
            subject=subject,
            public_key=public_key,
            issuer=Issuer(
                name=issuer,
                key=self.keys.signing_key(issuer),
                certificate=None if issuer == name else self.pki.certificate(issuer),
            ),
            public_url=self._public_url,
            pki_path=PKI_PATH,
            valid_for=valid_for,
            now=datetime.now(UTC),
        )
        self.pki.add(name, certificate, issuer=issuer)
        return certificate

    def _ensure_root_crl(self, life: timedelta) -> None:
        file = self.pki.path / f"{ROOT}.crl"
        now = datetime.now(UTC)
        if file.is_file():
            stored = parse_crl(file.read_bytes())
            if now < stored.this_update + (stored.next_update - stored.this_update) / 2:
                return
        CrlPublisher(self.pki, {ROOT: self.keys.signing_key(ROOT)}).publish(ROOT, life=life, now=now)
