"""Writes the e-seal vectors of this folder anew: python tests/vectors/eseal/generate.py (needs Java and Maven).

Keys are thrown away, so every run gives other bytes; what each file is and must be answered stays the same.
"""

import hashlib
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from cert_registry.eseal.making import make_seal, make_signature  # noqa: E402 - the path stands above
from cert_registry.eseal.types import CertificateMark, EsealVersion, SealPicture  # noqa: E402
from cert_registry.eseal.verifying import verify  # noqa: E402
from tests.peers.ofdrw.harness import fetch_ofdrw  # noqa: E402
from tests.unit.eseal.eseal_world import (  # noqa: E402
    MADE,
    NOW,
    P256Key,
    a_judge,
    a_signer,
    content_for,
    sm2_key,
)

DATA = b"the protected data"
SIGNED = MADE + timedelta(days=3)


def main() -> None:
    """Write the files and the expected answers."""
    fetch_ofdrw().make(HERE)
    for name in ("seal-v1.esl", "signature-v1.dat", "seal-v4.esl", "signature-v4.dat"):
        (HERE / name).rename(HERE / f"ofdrw-{name}")
    for kind, new in (("sm2", sm2_key), ("p256", P256Key)):
        maker, holder = a_signer(new(), "maker"), a_signer(new(), "holder")
        for version in (EsealVersion.V4, EsealVersion.V5):
            seal = make_seal(content_for(holder.certificate), maker=maker, version=version)
            signature = make_signature(
                seal, signer=holder, data=DATA, property_info="/Doc_0/Signature.xml", signed_at=SIGNED
            )
            word = f"v{version.value}-{kind}"
            (HERE / f"seal-{word}.esl").write_bytes(seal)
            (HERE / f"signature-{word}.dat").write_bytes(signature)
            altered = seal.replace("专用章".encode(), "专用张".encode())
            (HERE / f"altered-name-{word}.esl").write_bytes(altered)
            (HERE / f"bytes-behind-{word}.esl").write_bytes(seal + b"\0")
    mark = CertificateMark(name="SM3", value=hashlib.new("sm3", holder.certificate).digest())
    content = replace(content_for(), marks=(mark,))
    (HERE / "seal-v5-digests.esl").write_bytes(make_seal(content, maker=maker))
    picture = SealPicture(format=content.picture.format, data=bytes(70_000), width_mm=42, height_mm=42)
    large = replace(content_for(holder.certificate), picture=picture)
    (HERE / "seal-v5-large-picture.esl").write_bytes(make_seal(large, maker=maker))
    lines = []
    for file in sorted(p for p in HERE.iterdir() if p.suffix in {".esl", ".dat"}):
        report = verify(file.read_bytes(), judge=a_judge(), now=NOW, data=DATA)
        lines.append(f"{file.name} {report.version.value if report.version else '-'} {report.verdict.value}")
    (HERE / "expected.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
