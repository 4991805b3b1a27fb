"""Each PAdES level before EU DSS, offline: what the file carries, and nothing else. See docs/levels.md."""

from datetime import datetime

import sample_documents as documents
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.sealing import PadesLevel, Sealer
from tests.peers.dss.harness import DssVerdict, EuDss


def test_eu_dss_offline_holds_each_level_to_its_promise(
    sealer: Sealer, credentials: SealCredentials, services: PkiServices, eu_dss: EuDss, now: datetime
) -> None:
    files = {
        level.name: sealer.seal(
            documents.rendered(),
            credentials=credentials,
            appearance=documents.appearance(),
            level=level,
            now=now,
        ).pdf
        for level in (PadesLevel.B_B, PadesLevel.B_T, PadesLevel.B_LT)
    }
    altered = bytearray(files["B_LT"])
    altered[len(altered) // 3] ^= 1  # inside what is signed
    files["altered"] = bytes(altered)
    trust = b"".join(c.public_bytes(Encoding.PEM) for c in services.pki.anchors())
    verdicts = eu_dss.verdicts(files, trust=trust)
    # Without revocation data nothing is conclusive offline.
    assert _said(verdicts["B_B"]) == [
        ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "PAdES-BASELINE-B")
    ]
    assert _said(verdicts["B_T"]) == [
        ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "PAdES-BASELINE-T")
    ]
    # DSS counts a store as LT only when it stands in a revision after the signature, yet uses what is in it.
    assert _said(verdicts["B_LT"]) == [("TOTAL_PASSED", None, "PAdES-BASELINE-T")]
    assert verdicts["B_LT"][0].said == ()
    assert [one.indication for one in verdicts["altered"]] == ["TOTAL_FAILED"]


def _said(verdicts: list[DssVerdict]) -> list[tuple[str, str | None, str]]:
    return [(one.indication, one.sub_indication, one.level) for one in verdicts]
