"""Each PAdES level before EU DSS and before our own rules, offline: what the file carries, and nothing else.

docs/levels.md promises what stands here.
"""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sample_documents as documents

from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.fast_sealing import FastSealer
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.sealing import PadesLevel, Sealer
from tests.peers.dss.harness import DssVerdict, EuDss
from verify_api.validation import TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

_PROMISED = {
    # Without revocation data nothing is conclusive offline.
    "B_B": ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "PAdES-BASELINE-B"),
    "B_T": ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "PAdES-BASELINE-T"),
    # DSS counts a store as LT only when it stands in a revision after the signature, yet uses what is in it.
    "B_LT": ("TOTAL_PASSED", None, "PAdES-BASELINE-T"),
    "B_LTA": ("TOTAL_PASSED", None, "PAdES-BASELINE-LTA"),
}


@pytest.mark.parametrize("path", ["reference", "fast"])
def test_each_level_keeps_its_promise_offline(  # noqa: PLR0917 - fixtures
    sealer: Sealer,
    credentials: SealCredentials,
    services: PkiServices,
    eu_dss: EuDss,
    pki_dir: Path,
    now: datetime,
    path: str,
) -> None:
    office = sealer if path == "reference" else FastSealer(sealer, services.tsa)
    files = {
        level.name: office.seal(
            documents.rendered()
            + b"\n",  # as the press ends it; else the fast path leaves it to the reference
            credentials=credentials,
            appearance=documents.appearance(),
            level=level,
            now=now,
        ).pdf
        for level in PadesLevel
    }
    altered = bytearray(files["B_LT"])
    altered[len(altered) // 3] ^= 1  # inside what is signed
    trust = (pki_dir / "trust.pem").read_bytes()
    verdicts = eu_dss.verdicts(files | {"altered": bytes(altered)}, trust=trust)
    assert {name: _said(verdicts[name]) for name in files} == _PROMISED
    assert verdicts["altered"][0].indication == "TOTAL_FAILED"
    # When the seal's certificate has ended, LT ends in DSS and LTA goes on; ours counts what the seal covers
    # as proved by its time stamp, so both go on as long as the stamps' own evidence does.
    seal_ended = now + timedelta(days=1090)
    at = {"B_LT": files["B_LT"], "B_LTA": files["B_LTA"]}
    assert all(ours(pdf, trust, at=seal_ended) for pdf in at.values())
    beyond = eu_dss.verdicts(at, trust=trust, at=now + timedelta(days=1200))
    assert beyond["B_LT"][0].indication == "INDETERMINATE"
    assert beyond["B_LTA"][0].indication == "TOTAL_PASSED"


def ours(pdf: bytes, trust: bytes, *, at: datetime) -> bool:
    return validate_pdf(pdf, trust=TrustAnchors.own_only(trust), at=at, now=at).verdict is Verdict.PASSED


def _said(verdicts: list[DssVerdict]) -> tuple[str, str | None, str]:
    (one,) = verdicts
    return one.indication, one.sub_indication, one.level
