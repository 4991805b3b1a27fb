"""Adding the empty, tagged signature field that a seal is put into.

The file is rewritten by pikepdf before anything is signed: an incremental update to a file without an end of
line after `%%EOF` (as Typst writes it) would break PDF/A, and PDF/UA wants a visible widget nested in a Form
structure element. The seal's picture becomes the widget's appearance here, as vector art, so that signing
itself draws nothing.

Source: ISO 19005-3 clause 6.1.9; ISO 14289-1 clauses 7.18.1 (TU) and 7.18.4 (Form element); ISO 32000-1
clauses 12.5.5, 12.7.4.5 and 14.7.4.4.
"""

import io
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name, Operator, Page, Pdf, String

from cert_registry.signing.errors import DocumentRefused

#: Name of the signature field in every ecert.
FIELD_NAME = "seal"
#: Annotation flags: bit 3 Print, bit 8 Locked.
PRINT_AND_LOCKED = 132
_MARKED_CONTENT = {Operator(name) for name in ("BMC", "BDC", "EMC", "MP", "DP")}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPlace:
    """Where the seal goes: page from 1, rectangle in points from the page's lower left corner."""

    page: int
    left: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SealAppearance:
    """How the seal looks: a one-page PDF (vector art, transparent ground), where, and what it shows in words."""

    image_pdf: bytes
    place: SealPlace
    alternative_text: str


def add_seal_field(pdf: bytes, appearance: SealAppearance) -> bytes:
    """Return the document with an empty signature field that already shows the seal.

    Works on tagged documents (a Form structure element is added) and on untagged ones.

    Raises:
        DocumentRefused: Not a readable PDF, encrypted, already signed, or the place is off the page.
    """
    try:
        with Pdf.open(io.BytesIO(pdf)) as document, Pdf.open(io.BytesIO(appearance.image_pdf)) as image:
            _refuse_unsuitable(document, appearance.place)
            page = document.pages[appearance.place.page - 1]
            widget = _widget(document, page, image, appearance)
            _add_to_form(document, widget)
            _add_to_page(document, page, widget)
            if Name.StructTreeRoot in document.Root:
                _add_to_structure(document, page, widget, appearance.alternative_text)
            out = io.BytesIO()
            document.save(out, deterministic_id=True, fix_metadata_version=False)
            return out.getvalue()
    except (pikepdf.PdfError, pikepdf.DataDecodingError, RecursionError) as error:
        raise DocumentRefused(f"The document to be sealed cannot be read: {error}.") from error


def _refuse_unsuitable(document: Pdf, place: SealPlace) -> None:
    if document.is_encrypted:
        raise DocumentRefused("An encrypted document is not sealed.")
    if not 1 <= place.page <= len(document.pages):
        raise DocumentRefused(f"The document has {len(document.pages)} pages, none numbered {place.page}.")
    left, bottom, right, top = (float(x) for x in document.pages[place.page - 1].mediabox)
    fits_across = left <= place.left and place.left + place.width <= right
    fits_up = bottom <= place.bottom and place.bottom + place.height <= top
    if not (place.width > 0 and place.height > 0 and fits_across and fits_up):
        raise DocumentRefused("The seal's place is not on the page.")
    form = document.Root.get(Name.AcroForm)
    if form is not None and (form.get(Name.SigFlags) or form.get(Name.XFA) is not None):
        raise DocumentRefused("The document already has signature fields or an XFA form.")


def _widget(document: Pdf, page: Page, image: Pdf, appearance: SealAppearance) -> pikepdf.Object:
    place = appearance.place
    rectangle = [place.left, place.bottom, place.left + place.width, place.bottom + place.height]
    return document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Sig,
            T=String(FIELD_NAME),
            TU=String(appearance.alternative_text),
            F=PRINT_AND_LOCKED,
            Rect=Array([round(x, 3) for x in rectangle]),
            P=page.obj,
            AP=Dictionary(N=drawing_of(document, image)),
        )
    )


def drawing_of(document: Pdf, image: Pdf) -> pikepdf.Object:
    """Copy the picture's page as a form XObject without its own tags, which would point nowhere.

    Raises:
        DocumentRefused: The picture has more than one page.
    """
    if len(image.pages) != 1:
        raise DocumentRefused("The seal's picture must be a PDF of one page.")
    source = image.pages[0]
    source.contents_coalesce()
    kept = [
        instruction
        for instruction in pikepdf.parse_content_stream(source)
        if instruction.operator not in _MARKED_CONTENT
    ]
    source.obj.Contents = image.make_stream(pikepdf.unparse_content_stream(kept))
    form = document.copy_foreign(source.as_form_xobject())
    for key in (Name.StructParents, Name.StructParent):
        if key in form:
            del form[key]
    return form


def _add_to_form(document: Pdf, widget: pikepdf.Object) -> None:
    if Name.AcroForm not in document.Root:
        document.Root.AcroForm = document.make_indirect(Dictionary(Fields=Array([])))
    form = document.Root.AcroForm
    if Name.Fields not in form:
        form.Fields = Array([])
    form.Fields.append(widget)
    form.SigFlags = 3  # SignaturesExist, AppendOnly


def _add_to_page(document: Pdf, page: Page, widget: pikepdf.Object) -> None:
    if Name.Annots not in page:
        page.Annots = document.make_indirect(Array([]))
    page.Annots.append(widget)
    page.Tabs = Name.S


def _add_to_structure(document: Pdf, page: Page, widget: pikepdf.Object, text: str) -> None:
    root = document.Root.StructTreeRoot
    parent = _document_element(root)
    element = document.make_indirect(
        Dictionary(
            Type=Name.StructElem,
            S=Name.Form,
            P=parent,
            Pg=page.obj,
            Alt=String(text),
            K=Dictionary(Type=Name.OBJR, Obj=widget, Pg=page.obj),
        )
    )
    children = parent.get(Name.K)
    if isinstance(children, Array):
        children.append(element)
    else:
        parent.K = Array([element] if children is None else [children, element])
    if Name.ParentTree not in root:
        root.ParentTree = document.make_indirect(Dictionary(Nums=Array([])))
    tree = pikepdf.NumberTree(root.ParentTree)
    key = max([int(root.get(Name.ParentTreeNextKey, 0)) - 1, *tree.keys()], default=-1) + 1
    tree[key] = element
    widget.StructParent = key
    root.ParentTreeNextKey = key + 1


def _document_element(root: pikepdf.Object) -> pikepdf.Object:
    """Return the Document element that the Form element goes under, or the root itself without one."""
    children = root.get(Name.K)
    first = children[0] if isinstance(children, Array) and len(children) else children
    if isinstance(first, Dictionary) and first.get(Name.S) == Name.Document:
        return first
    return root
