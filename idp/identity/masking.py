"""How names and numbers are shown when the viewer need not know them."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """The first character and four stars, whatever the length: 甘****."""
    return f"{name[:1]}****" if name else ""


def mask_number(number: str) -> str:
    """Six characters, stars, the last four: 620102********0017; short numbers keep less."""
    if len(number) < 12:
        return "*" * len(number)
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


def mask_mobile(mobile: str) -> str:
    """Three digits, four stars, four digits: 139****0001."""
    if len(mobile) != 11:
        return "*" * len(mobile)
    return f"{mobile[:3]}****{mobile[-4:]}"
