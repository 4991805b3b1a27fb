"""What verifying an e-seal found: findings in the order of the steps, and the verdict that follows."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cert_registry.eseal.types import EsealVersion


class Step(Enum):
    """Steps of verifying, in the standard's order."""

    FORMAT = "format"
    SEAL_SIGNATURE = "seal-signature"
    CREATION_TIME = "creation-time"
    MAKER_CERTIFICATE = "maker-certificate"
    SEAL_VALIDITY = "seal-validity"
    SEAL_TIME_STAMP = "seal-time-stamp"
    SIGNATURE = "signature"
    PROTECTED_DATA = "protected-data"
    SIGNER_LISTED = "signer-listed"
    SIGNER_CERTIFICATE = "signer-certificate"
    SIGNING_TIME = "signing-time"
    TIME_STAMP = "time-stamp"


class Severity(Enum):
    """What a finding does to the verdict."""

    ERROR = "error"
    UNDECIDED = "undecided"
    WARNING = "warning"


class EsealVerdict(Enum):
    """The outcome."""

    VALID = "VALID"
    INVALID = "INVALID"
    INDETERMINATE = "INDETERMINATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding: at which step, how bad, one Chinese sentence."""

    step: Step
    severity: Severity
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EsealReport:
    """The report on a seal, or on a signature and the seal in it.

    Args:
        findings: In the order of the steps; empty when everything holds.
        kind: `seal` or `signature`; None when neither could be read.
        version: Version of the structure.
        seal_id: The seal's number.
        name: The seal's name.
        maker: Subject of the maker's certificate.
        created_at: When the seal was made.
        valid_from: Its first moment.
        valid_until: Its last one.
        signer: Subject of the signer's certificate.
        signed_at: When it was signed: stamped, else claimed.
        property_info: What is protected.
    """

    findings: tuple[Finding, ...]
    kind: str | None = None
    version: EsealVersion | None = None
    seal_id: str | None = None
    name: str | None = None
    maker: str | None = None
    created_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    signer: str | None = None
    signed_at: datetime | None = None
    property_info: str | None = None

    @property
    def verdict(self) -> EsealVerdict:
        """INVALID with any error, INDETERMINATE with anything undecided, else VALID."""
        severities = {finding.severity for finding in self.findings}
        if Severity.ERROR in severities:
            return EsealVerdict.INVALID
        return EsealVerdict.INDETERMINATE if Severity.UNDECIDED in severities else EsealVerdict.VALID

    def to_json(self, *, file: str) -> dict[str, object]:
        """Return the report for machines; times in ISO 8601."""
        moments = {
            name: moment.isoformat() if moment else None
            for name, moment in (
                ("created_at", self.created_at),
                ("valid_from", self.valid_from),
                ("valid_until", self.valid_until),
                ("signed_at", self.signed_at),
            )
        }
        return {
            "file": file,
            "verdict": self.verdict.value,
            "kind": self.kind,
            "version": self.version.value if self.version else None,
            "seal_id": self.seal_id,
            "name": self.name,
            "maker": self.maker,
            "signer": self.signer,
            "property_info": self.property_info,
            **moments,
            "findings": [
                {"step": f.step.value, "severity": f.severity.value, "sentence": f.sentence}
                for f in self.findings
            ],
        }
