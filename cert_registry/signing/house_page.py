"""Where things stand in a page that our own Typst made, so that a seal can be added behind it as one revision.

This is no PDF reader: every part must look exactly as Typst writes it, to the byte, or the page is not one of
ours and the reference path takes it. A face is data and never reaches the places that are matched here: the
catalogue, the pages' own dictionaries, and the root of the structure tree.

Source: ISO 32000-1 clauses 7.5.4 to 7.5.6 (cross-reference table, trailer, incremental updates).
"""

import re
from dataclasses import dataclass

from cert_registry.signing.errors import LayoutUnknown

_TAIL = re.compile(
    rb"trailer\n<</Size ([1-9]\d{0,6})/Root ([1-9]\d{0,6}) 0 R/Info ([1-9]\d{0,6}) 0 R"
    rb"/ID\[\(([A-Za-z0-9+/=]{24})\)\([A-Za-z0-9+/=]{24}\)\]>>\nstartxref\n([1-9]\d{0,9})\n%%EOF\n"
)
_TAIL_BYTES = 300  # more than the longest tail
_ENTRY_BYTES = 20
_ENTRY = re.compile(rb"(\d{10}) 00000 n\r\n")
_OBJECT = re.compile(rb"([1-9]\d{0,6}) 0 obj\n(.*?)\nendobj\n", re.DOTALL)
_REFERENCES = rb"(?:\d{1,7} 0 R ?)*"
_CATALOG = re.compile(
    rb"<</Type/Catalog/Pages (\d{1,7}) 0 R/Metadata \d{1,7} 0 R/OutputIntents \d{1,7} 0 R/Lang\([A-Za-z-]{1,20}\)"
    rb"/StructTreeRoot (\d{1,7}) 0 R/MarkInfo<</Marked true/Suspects false>>"
    rb"/ViewerPreferences<</DisplayDocTitle true/Direction/L2R>>(?:/Outlines \d{1,7} 0 R)?"
    rb"/Names<</EmbeddedFiles<</Names\[\([a-z.]{1,40}\)\d{1,7} 0 R\]>>>>/AF\[\d{1,7} 0 R\]>>"
)
_PAGES = re.compile(rb"<</Type/Pages/Count [1-9]\d{0,3}/Kids\[(" + _REFERENCES + rb")\]>>")
_NUMBER = rb"-?\d{1,6}(?:\.\d{1,8})?"
_PAGE = re.compile(
    rb"<</Type/Page/Resources \d{1,7} 0 R/MediaBox\[(" + rb" ".join([_NUMBER] * 4) + rb")\]"
    rb"/StructParents \d{1,6}/Tabs/S/Parent \d{1,7} 0 R/Contents \d{1,7} 0 R>>"
)
_TREE = re.compile(
    rb"(<</Type/StructTreeRoot/RoleMap<<[A-Za-z/]{1,400}>>/K\[(\d{1,7}) 0 R\]/ParentTree<</Nums\[[\dR ]{1,200000})"
    rb"(\]>>(?:/IDTree<</Names\[[A-Za-z\d() ]{1,200000}\]>>)?/ParentTreeNextKey )(\d{1,6})>>"
)
_DOCUMENT = re.compile(rb"(<</Type/StructElem/S/Document/P \d{1,7} 0 R/K\[" + _REFERENCES + rb")\]>>")


@dataclass(frozen=True, slots=True, kw_only=True)
class HousePage:
    """The parts of a rendered page that a seal's revision writes anew, and what it must point to.

    Args:
        size: One more than the highest object number.
        cross_reference: Where the cross-reference table begins.
        root, info: Object numbers of catalogue and document information.
        file_id: The permanent identifier, as written.
        catalog: The catalogue's dictionary.
        page_number, page: Object number and dictionary of the page that is sealed.
        media_box: Its corners in points: left, bottom, right, top.
        tree_number: Object number of the structure tree's root.
        tree: Its dictionary up to the end of the parent tree's numbers, and from there to the next key.
        next_key: The parent tree's next key.
        document_number: Object number of the Document element.
        document: Its dictionary up to the end of its kids.
    """

    size: int
    cross_reference: int
    root: int
    info: int
    file_id: bytes
    catalog: bytes
    page_number: int
    page: bytes
    media_box: tuple[float, float, float, float]
    tree_number: int
    tree: tuple[bytes, bytes]
    next_key: int
    document_number: int
    document: bytes


def read_house_page(pdf: bytes, *, page: int) -> HousePage:
    """Find the parts of a rendered document.

    Args:
        pdf: As the catalogue renders it, unsigned.
        page: The page to be sealed, from 1.

    Raises:
        LayoutUnknown: Some part is not as Typst writes it, or there is no such page.
    """
    tail = _TAIL.fullmatch(pdf, pdf.rfind(b"trailer\n", max(0, len(pdf) - _TAIL_BYTES)))
    if tail is None:
        raise LayoutUnknown("The document's trailer is not of the known form.")
    size, root, info, cross_reference = (int(tail[i]) for i in (1, 2, 3, 5))
    head = b"xref\n0 %d\n0000000000 65535 f\r\n" % size
    entries = cross_reference + len(head)
    if (
        not pdf.startswith(head, cross_reference)
        or entries + _ENTRY_BYTES * (size - 1) != tail.start()
        or pdf.count(b"startxref") != 1
    ):
        raise LayoutUnknown("The document's cross-reference table is not of the known form.")

    def body(number: int) -> bytes:
        if not 0 < number < size:
            raise LayoutUnknown("The document names an object that it does not have.")
        entry = _ENTRY.fullmatch(pdf, entries + _ENTRY_BYTES * (number - 1), entries + _ENTRY_BYTES * number)
        found = _OBJECT.match(pdf, int(entry[1]), cross_reference) if entry else None
        if found is None or int(found[1]) != number:
            raise LayoutUnknown("An object of the document is not where it should be.")
        return found[2]

    catalog = body(root)
    named = _matched(_CATALOG, catalog)
    pages = _matched(_PAGES, body(int(named[1])))[1].split(b" 0 R")[:-1]
    if not 1 <= page <= len(pages):
        raise LayoutUnknown(f"The document has {len(pages)} pages, none numbered {page}.")
    page_number = int(pages[page - 1])
    page_body = body(page_number)
    left, bottom, right, top = (float(n) for n in _matched(_PAGE, page_body)[1].split(b" "))
    tree_number = int(named[2])
    tree = _matched(_TREE, body(tree_number))
    document_number = int(tree[2])
    document = _matched(_DOCUMENT, body(document_number))
    return HousePage(
        size=size,
        cross_reference=cross_reference,
        root=root,
        info=info,
        file_id=tail[4],
        catalog=catalog,
        page_number=page_number,
        page=page_body,
        media_box=(left, bottom, right, top),
        tree_number=tree_number,
        tree=(tree[1], tree[3]),
        next_key=int(tree[4]),
        document_number=document_number,
        document=document[1],
    )


def _matched(pattern: re.Pattern[bytes], body: bytes) -> re.Match[bytes]:
    found = pattern.fullmatch(body)
    if found is None:
        raise LayoutUnknown("A part of the document is not of the known form.")
    return found
