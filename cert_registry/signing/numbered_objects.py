"""Objects of a PDF written once and numbered later: the seal's picture and evidence, ready for any document.

A body is kept as pieces between its references, so that numbering it for a document is joining the pieces. The
picture is taken apart by pikepdf; what is written here are pikepdf's objects, never bytes that were searched.

Source: ISO 32000-1 clause 7.3 (objects).
"""

import functools
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from cert_registry.signing.errors import DocumentRefused
from cert_registry.signing.seal_field import drawing_of

_MAX_DEPTH = 32
_LAYOUTS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Numbered:
    """Objects with their numbers: the bytes, and where in them each object starts, in order."""

    content: bytes
    starts: tuple[int, ...]


class NumberedObjects:
    """Objects that refer only to one another.

    Args:
        bodies: Each object's body as pieces; an integer between two pieces of bytes is a reference by place.
    """

    def __init__(self, bodies: Sequence[Sequence[bytes | int]]) -> None:
        self._bodies = tuple(tuple(body) for body in bodies)
        self.numbered = functools.lru_cache(maxsize=_LAYOUTS_KEPT)(self._numbered)

    def __len__(self) -> int:
        return len(self._bodies)

    def _numbered(self, first: int) -> Numbered:
        """Return the objects numbered from `first` on."""
        content = bytearray()
        starts: list[int] = []
        for place, body in enumerate(self._bodies):
            starts.append(len(content))
            content += b"%d 0 obj\n" % (first + place)
            for piece in body:
                content += piece if isinstance(piece, bytes) else b"%d 0 R" % (first + piece)
            content += b"\nendobj\n"
        return Numbered(bytes(content), tuple(starts))


def stream_body(data: bytes) -> tuple[bytes, ...]:
    """Return the body of a stream without filter, as pyHanko writes validation data."""
    return (b"<</Length %d>>\nstream\n" % len(data), data, b"\nendstream")


def picture_objects(image_pdf: bytes) -> NumberedObjects:
    """Return a seal's picture as objects, the form XObject first.

    Raises:
        DocumentRefused: The picture is not a readable PDF of one page.
    """
    try:
        with Pdf.open(io.BytesIO(image_pdf)) as image, Pdf.new() as document:
            return NumberedObjects(_Writer().bodies(drawing_of(document, image)))
    except (pikepdf.PdfError, pikepdf.DataDecodingError, RecursionError) as error:
        raise DocumentRefused(f"The seal's picture cannot be read: {error}.") from error


class _Writer:
    def __init__(self) -> None:
        self._places: dict[tuple[int, int], int] = {}
        self._waiting: list[pikepdf.Object] = []

    def bodies(self, first: pikepdf.Object) -> list[list[bytes | int]]:
        self._place_of(first)
        done: list[list[bytes | int]] = []
        while len(done) < len(self._waiting):
            done.append(self._body(self._waiting[len(done)]))
        return done

    def _place_of(self, indirect: pikepdf.Object) -> int:
        if indirect.objgen not in self._places:
            self._places[indirect.objgen] = len(self._waiting)
            self._waiting.append(indirect)
        return self._places[indirect.objgen]

    def _body(self, obj: pikepdf.Object) -> list[bytes | int]:
        if not isinstance(obj, Stream):
            return _merged(self._value(obj, 0, top=True))
        data = obj.read_raw_bytes()
        entries = {key: value for key, value in obj.stream_dict.items() if key != "/Length"}
        pieces: list[bytes | int] = [b"<<"]
        if "/Filter" not in entries:
            data = zlib.compress(data, 9)
            pieces.append(b"/Filter/FlateDecode")
        for key in sorted(entries):
            pieces += [_name(key), b" ", *self._value(entries[key], 0)]
        pieces += [b"/Length %d>>\nstream\n" % len(data), data, b"\nendstream"]
        return _merged(pieces)

    def _value(self, value: object, depth: int, *, top: bool = False) -> list[bytes | int]:
        if depth > _MAX_DEPTH:
            raise DocumentRefused("The seal's picture is nested too deeply.")
        if isinstance(value, pikepdf.Object) and value.is_indirect and not top:
            return [self._place_of(value)]
        if isinstance(value, Array):
            inside = [[*self._value(item, depth + 1), b" "] for item in value]
            return [b"[", *(piece for pieces in inside for piece in pieces), b"]"]
        if isinstance(value, Dictionary):
            entries: list[bytes | int] = [b"<<"]
            for key in sorted(value.keys()):
                entries += [_name(key), b" ", *self._value(value[key], depth + 1)]
            return [*entries, b">>"]
        return [_scalar(value)]


def _scalar(value: object) -> bytes:
    if isinstance(value, Name):
        return _name(str(value))
    if isinstance(value, String):
        return b"<" + bytes(value).hex().encode() + b">"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int | Decimal):
        return format(value, "f").encode() if isinstance(value, Decimal) else b"%d" % value
    raise DocumentRefused("The seal's picture holds an object that is not written here.")


def _name(name: str) -> bytes:
    """Return a name with everything but letters, digits, `-`, `_`, `+` and `.` written as `#xx`."""
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+."
    return b"/" + b"".join(bytes((c,)) if c in plain else b"#%02X" % c for c in name[1:].encode())


def _merged(pieces: list[bytes | int]) -> list[bytes | int]:
    """Join neighbouring pieces of bytes."""
    merged: list[bytes | int] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            merged[-1] = last + piece
        else:
            merged.append(piece)
    return merged
