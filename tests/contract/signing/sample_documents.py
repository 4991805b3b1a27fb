"""Documents to seal, made with Typst as the catalogue makes them: PDF/A-3a + PDF/UA-1 with attached JSON."""

import functools
import hashlib
import io
import json

import pikepdf
import typst

from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.seal_field import SealAppearance, SealPlace
from cert_registry.signing.sealing import PadesLevel

_PAGE = """
#set document(title: "食品经营许可证", author: "示例市市场监督管理局", date: datetime(year: 2026, month: 11, day: 22))
#set page(paper: "a4")
#set text(font: ("Noto Serif CJK SC",), lang: "zh", size: 14pt)
#pdf.attach("ecert.json", bytes(sys.inputs.twin), relationship: "data", mime-type: "application/json",
  description: "The data of this document")
= 食品经营许可证（样例）
持证人：示例食品有限公司

发证机关：示例市市场监督管理局
"""

_SEAL = """
#set document(title: "seal", date: datetime(year: 2026, month: 11, day: 22))
#set page(width: 42mm, height: 42mm, margin: 0mm, fill: none)
#set text(font: ("Noto Serif CJK SC",), fill: rgb(200, 20, 20, 220), size: 8pt)
#place(center + horizon, circle(radius: 20mm, stroke: 1.2mm + rgb(200, 20, 20, 220)))
#place(center + horizon, [★ 示例市市场监督管理局])
"""

PLACE = SealPlace(page=1, left=380, bottom=120, width=119, height=119)
WORDS = "示例市市场监督管理局证照专用章"


@functools.cache
def rendered(filler: str = "") -> bytes:
    twin = json.dumps({"notice": "样例"}, ensure_ascii=False)
    compiler = typst.Compiler((_PAGE + filler).encode(), sys_inputs={"twin": twin})
    return bytes(compiler.compile(format="pdf", pdf_standards=["a-3a", "ua-1"]))


@functools.cache
def seal_picture(star: str = "★") -> bytes:
    return bytes(typst.Compiler(_SEAL.replace("★", star).encode()).compile(format="pdf"))


def appearance() -> SealAppearance:
    return SealAppearance(image_pdf=seal_picture(), place=PLACE, alternative_text=WORDS)


def content(level: PadesLevel, *, page: bytes | None = None) -> SealedContent:
    """What a sample document must hold when it is sealed at that level."""
    return SealedContent(
        page=rendered() if page is None else page,
        appearance=appearance(),
        with_evidence=level in {PadesLevel.B_LT, PadesLevel.B_LTA},
    )


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def generic_pdf() -> bytes:
    """A small PDF without tags, as other programs make them."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def encrypted_pdf() -> bytes:
    with pikepdf.open(io.BytesIO(generic_pdf())) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="owner", user=""))
        return out.getvalue()
