"""The document security store, and that it holds nothing but certificates and revocation data.

Source: ISO 32000-2 12.8.4.3; EN 319 142-1 clause 5.4.2.
"""

from __future__ import annotations

from typing import Any

from pyhanko.pdf_utils import generic

from verify_api.validation.graph import raw_of, resolved

_STORE_LISTS = ("/Certs", "/OCSPs", "/CRLs")
_RELATED_LISTS = ("/Cert", "/OCSP", "/CRL")
_STORE_KEYS = frozenset({"/Type", "/VRI", *_STORE_LISTS})
_RELATED_KEYS = frozenset({"/Type", "/TU", "/TS", *_RELATED_LISTS})
_STREAM_KEYS = frozenset({"/Length", "/Filter", "/DecodeParms", "/Type", "/DL"})
_MAX_ITEMS = 5_000


def is_plain_store(store: generic.DictionaryObject) -> bool:
    """Tell whether a store, however it is written, holds only what a store is for."""
    if set(store.keys()) - _STORE_KEYS:
        return False
    if not all(_is_value_list(store, key) for key in _STORE_LISTS):
        return False
    related = resolved(raw_of(store, "/VRI"))
    if related is None:
        return True
    if not isinstance(related, generic.DictionaryObject) or len(related) > _MAX_ITEMS:
        return False
    return all(_is_related(resolved(raw_of(related, key))) for key in related if key != "/Type")


def _is_related(entry: Any) -> bool:
    if not isinstance(entry, generic.DictionaryObject) or set(entry.keys()) - _RELATED_KEYS:
        return False
    stamp = resolved(raw_of(entry, "/TS"))
    return (stamp is None or _is_value(stamp)) and all(_is_value_list(entry, key) for key in _RELATED_LISTS)


def _is_value_list(holder: generic.DictionaryObject, key: str) -> bool:
    items = resolved(raw_of(holder, key))
    if items is None:
        return True
    if not isinstance(items, generic.ArrayObject) or len(items) > _MAX_ITEMS:
        return False
    values = [resolved(items.raw_get(index)) for index in range(len(items))]
    return all(value is None or _is_value(value) for value in values)


def _is_value(value: Any) -> bool:
    """Tell whether a stream holds one DER value from its first byte to its last."""
    if not isinstance(value, generic.StreamObject) or set(value.keys()) - _STREAM_KEYS:
        return False
    content = value.data.rstrip(b"\r\n")  # an end of line before endstream that some count in
    return _one_element(content) or _one_element(value.data)


def _one_element(content: bytes) -> bool:
    if len(content) < 2 or content[0] != 0x30:
        return False
    first = content[1]
    if first < 0x80:
        return len(content) == 2 + first
    count = first & 0x7F
    return 0 < count <= 4 and len(content) == 2 + count + int.from_bytes(content[2 : 2 + count], "big")
