"""Whether what a seal shows is the picture that was approved for it.

The drawing in the file is compared with the picture's page: the same instructions but for marks of structure, which would
point nowhere, the same box, the same fonts and images. The picture of a seal is written in the same bytes into every
document with as many objects, so the answer for those bytes is remembered.

Source: ISO 32000-1 clauses 8.10 (form XObjects) and 14.6 (marked content).
"""

import functools
import io

import pikepdf
from pikepdf import Dictionary, Name, Pdf

from cert_registry.signing.errors import ContentDiffers
from cert_registry.signing.release_sameness import Sameness

_KEPT = 128
_MARKS = {"BMC", "BDC", "EMC", "MP", "DP"}
_FORM_KEYS = {
    "/Type",
    "/Subtype",
    "/FormType",
    "/BBox",
    "/Matrix",
    "/Resources",
    "/Group",
    "/Length",
    "/Filter",
}
_IDENTITY = [1, 0, 0, 1, 0, 0]
_ENTRY = b"%010d 00000 n\r\n"


@functools.lru_cache(maxsize=_KEPT)
def check_picture_objects(
    first: int, objects: bytes, starts: tuple[int, ...], *, drawing: int, image_pdf: bytes
) -> None:
    """Check the objects of a seal's picture as they stand in a file.

    Args:
        first: The number of the first object; the others follow.
        objects: Their bytes.
        starts: Where in them each begins.
        drawing: The number of the form XObject.
        image_pdf: The approved picture, a PDF of one page.

    Raises:
        ContentDiffers: They show something else, or point elsewhere.
    """
    header = b"%PDF-1.7\n"
    root = first + len(starts)
    tail = b"%d 0 obj\n<</Type/Catalog/Pages %d 0 R/Drawing %d 0 R>>\nendobj\n" % (root, root + 1, drawing)
    pages = b"%d 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n" % (root + 1)
    body = header + objects + tail + pages
    places = [len(header) + start for start in starts] + [len(header + objects), len(header + objects + tail)]
    table = b"xref\n0 1\n0000000000 65535 f\r\n%d %d\n" % (first, len(places))
    table += b"".join(_ENTRY % place for place in places)
    trailer = b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (root + 2, root, len(body))
    try:
        with Pdf.open(io.BytesIO(body + table + trailer), attempt_recovery=False) as document:
            met = check_drawing(document.Root.Drawing, image_pdf)
    except (pikepdf.PdfError, AttributeError) as error:
        raise ContentDiffers("The seal's picture cannot be read.") from error
    if met != set(range(first, root)):
        raise ContentDiffers("The seal's picture holds an object that nothing of it needs.")


def check_drawing(drawing: pikepdf.Object, image_pdf: bytes) -> set[int]:
    """Check a form XObject against the approved picture; returns the numbers of the objects that it consists of.

    Raises:
        ContentDiffers: It shows something else.
    """
    try:
        with Pdf.open(io.BytesIO(image_pdf)) as image:
            if len(image.pages) != 1 or not isinstance(drawing, pikepdf.Stream):
                raise ContentDiffers("The seal's picture is not one drawing.")
            page = image.pages[0]
            _check_frame(drawing, page)
            if _instructions(drawing) != _instructions(page):
                raise ContentDiffers("The seal does not show the approved picture.")
            same = Sameness("seal's picture")
            same.demand(page.obj.get(Name.Group), drawing.get(Name.Group))
            same.demand(page.resources, drawing.get(Name.Resources, Dictionary()))
            same.settle()
            return {drawing.objgen[0], *same.met}
    except (pikepdf.PdfError, pikepdf.DataDecodingError, AttributeError, TypeError) as error:
        raise ContentDiffers("The seal's picture cannot be read.") from error


def _check_frame(drawing: pikepdf.Object, page: pikepdf.Page) -> None:
    box = [float(corner) for corner in page.trimbox]
    plain = (
        set(drawing.keys()) <= _FORM_KEYS
        and drawing.get(Name.Subtype) == Name.Form
        and [float(corner) for corner in drawing.BBox] == box
        and [float(one) for one in drawing.get(Name.Matrix, _IDENTITY)] == _IDENTITY
        and int(page.obj.get(Name.Rotate, 0)) == 0
    )
    if not plain:
        raise ContentDiffers("The seal's picture has another frame than the approved one.")


def _instructions(source: pikepdf.Object | pikepdf.Page) -> bytes:
    kept = [one for one in pikepdf.parse_content_stream(source) if str(one.operator) not in _MARKS]
    return bytes(pikepdf.unparse_content_stream(kept))
