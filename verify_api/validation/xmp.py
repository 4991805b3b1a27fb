"""Compares two XMP packets by what they say: programs write the same statements in many ways.

Source: ISO 16684-1 (XMP): properties of rdf:Description as attributes or as elements.
"""

from __future__ import annotations

import re

from lxml import etree

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_MM = "{http://ns.adobe.com/xap/1.0/mm/}"
_PDF = "{http://ns.adobe.com/pdf/1.3/}"
# What every program that saves a file renews; nobody reads these as content.
_MOVING = frozenset(
    {
        f"{_XMP}ModifyDate",
        f"{_XMP}MetadataDate",
        f"{_XMP}CreateDate",
        f"{_XMP}CreatorTool",
        f"{_PDF}Producer",
        f"{_MM}InstanceID",
        f"{_MM}History",
        f"{_MM}VersionID",
    }
)
_MAX_BYTES = 4 * 1024 * 1024
_DECLARATIONS = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def lasting_statements(packet: bytes) -> frozenset[tuple[str, str]] | None:
    """Return what a packet says, without what every saving renews; None when it cannot be read.

    Args:
        packet: The content of a metadata stream; empty for none.

    Returns:
        Pairs of a property's name and its value in one canonical form.
    """
    if not packet.strip():
        return frozenset()
    if len(packet) > _MAX_BYTES or _DECLARATIONS.search(packet):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(packet.strip(b"\x00\t\n\r "), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    said: set[tuple[str, str]] = set()
    for description in root.iter(f"{_RDF}Description"):
        if description.getparent() is None or description.getparent().tag != f"{_RDF}RDF":
            continue
        said |= {(str(name), str(value).strip()) for name, value in description.attrib.items()}
        said |= {(str(child.tag), _canonical(child)) for child in description}
    return frozenset(
        (name, value)
        for name, value in said
        if value and name not in _MOVING and name != f"{_RDF}about" and _has_text(value)
    )


def _canonical(element: etree._Element, depth: int = 0) -> str:
    text = (element.text or "").strip()
    if depth > 40:
        return "?"
    if not len(element) and not element.attrib:
        return text
    attributes = "".join(f"@{name}={value}" for name, value in sorted(element.attrib.items()))
    inside = "".join(
        f"<{child.tag}>{_canonical(child, depth + 1)}{(child.tail or '').strip()}" for child in element
    )
    return f"{attributes}|{text}|{inside}"


def _has_text(value: str) -> bool:
    """Tell whether a value says anything: empty lists and alternatives do not."""
    return bool(re.sub(r"<\{[^}]*\}(?:li|Alt|Seq|Bag)>|@\{[^}]*\}lang=x-default|\|", "", value).strip())
