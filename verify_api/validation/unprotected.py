"""Everything in a CMS that its signature does not protect, and what in it shows an alteration.

Only signed attributes and content are protected. Certificates, lists, version numbers, algorithm identifiers and
unsigned attributes could be altered unnoticed, so each must be as the standard says, or speak for itself.

Source: RFC 5652 sections 5.1, 5.3 and 10.1, EN 319 142-1 clause 6.3; strictness: design section 4.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, core, x509

from verify_api.validation import strict_der
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.issuers import issuer_verdict, unexplained
from verify_api.validation.known import remembered
from verify_api.validation.revocation_values import list_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verify_api.validation.signed_data import SignedContent

_STAMP = "signature_time_stamp_token"
_NULL = b"\x05\x00"
_PSS = "rsassa_pss"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # id-signedData
_SHAKE256 = {b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x12" + bytes.fromhex("02020200")}  # of 512 bits


def unprotected_faults(
    content: SignedContent, known: Iterable[x509.Certificate], path: Sequence[x509.Certificate] = ()
) -> list[str]:
    """List faults in unsigned parts that show an alteration, whoever signed.

    Args:
        content: The parts.
        known: Certificates that may have issued the embedded ones, anchors included.
        path: The signer's path, anchor first; empty where none was found.

    Returns:
        Short English tags, empty when nothing is wrong.
    """
    faults = [f"der:{d.value}" for d in content.departures - strict_der.COMMON_IN_THE_WILD]
    indefinite = strict_der.Departure.INDEFINITE_LENGTH in content.departures
    if not indefinite and _has_ignored_elements(content):
        faults.append("ignored-elements")
    faults += ["unreadable-certificate"] * content.unreadable_certificates
    faults += _certificate_faults(content, [*content.certificates, *known], tuple(path))
    faults += _version_faults(content)
    if not _names_signer_exactly(content):
        faults.append("signer-identifier")
    key = content.signer.public_key if content.signer is not None else None
    curve = key["algorithm"]["parameters"].dump() if key is not None and key.algorithm == "ec" else _NULL
    if not all(_has_plain_parameters(one, curve) for one in _algorithms(content)):
        faults.append("algorithm-parameters")
    signed, unsigned = content.signed_data, content.signer_info["unsigned_attrs"]
    if content.digest_name not in {str(a["algorithm"].native) for a in signed["digest_algorithms"]}:
        faults.append("digest-algorithms")
    if not isinstance(unsigned, core.Void) and any(map(_is_renamed_stamp, unsigned)):
        faults.append("unsigned-attributes")
    return faults


def _is_renamed_stamp(attribute: Any) -> bool:
    """Tell whether an unsigned attribute of another kind holds what looks like a time stamp, or nothing at all."""
    if attribute["type"].native == _STAMP:
        return False
    encoded = bytes(attribute["values"].contents)
    return not encoded or _SIGNED_DATA in encoded[:24]


def _certificate_faults(
    content: SignedContent, pool: list[x509.Certificate], path: tuple[x509.Certificate, ...]
) -> list[str]:
    path = path or ((content.signer,) if content.signer is not None else ())
    spoken_for = {certificate.dump() for certificate in path}
    loose = [certificate for certificate in content.certificates if certificate.dump() not in spoken_for]
    faults = ["embedded-certificate" for one in loose if issuer_verdict(one, pool) is False]
    faults += ["unexplained-certificate"] * len(unexplained(loose, pool=pool, path=path))
    signed = content.signed_data
    if not isinstance(signed["crls"], core.Void):
        faults += ["embedded-list" for value in signed["crls"] if list_verdict(value, pool) is not True]
    return faults


def _names_signer_exactly(content: SignedContent) -> bool:
    """Tell whether the signer's issuer is named byte for byte, not only in the same words in another case."""
    identifier = content.signer_info["sid"]
    if content.signer is None or identifier.name != "issuer_and_serial_number":
        return True
    return bool(identifier.chosen["issuer"].dump() == content.signer.issuer.dump())


def _version_faults(content: SignedContent) -> list[str]:
    """Compare the version numbers with what they must be for what the CMS holds.

    Source: RFC 5652 sections 5.1 and 5.3; versions 4 and 5 are for certificates and lists of other kinds.
    """
    signed, signer_info = content.signed_data, content.signer_info
    by_name = signer_info["sid"].name == "issuer_and_serial_number"
    plain = by_name and signed["encap_content_info"]["content_type"].native == "data"
    expected = {"v1"} if plain else {"v3"}
    if signed["encap_content_info"]["content_type"].native == "data" and not by_name:
        expected = {"v1", "v3"}  # signers of the wild write either
    certificates = signed["certificates"]
    if not isinstance(certificates, core.Void) and any(one.name != "certificate" for one in certificates):
        expected = {"v3", "v4", "v5"}
    faults = [] if signed["version"].native in expected else ["version"]
    faults += [] if signer_info["version"].native == ("v1" if by_name else "v3") else ["signer-version"]
    return faults


def _algorithms(content: SignedContent) -> list[Any]:
    signer_info = content.signer_info
    return [
        *content.signed_data["digest_algorithms"],
        signer_info["digest_algorithm"],
        signer_info["signature_algorithm"],
    ]


def _has_plain_parameters(algorithm: Any, curve: bytes) -> bool:
    """Tell whether an algorithm has no parameters, written in one of the two usual ways.

    Those of PSS decide the verification; SHAKE256 with Ed448 names its length (RFC 8419); some repeat the key's curve.
    """
    encoded = bytes(algorithm.contents)
    rest = encoded[len(algorithm["algorithm"].dump()) :]
    return rest in {b"", _NULL, curve} or encoded in _SHAKE256 or algorithm["algorithm"].native == _PSS


def strict_faults(content: SignedContent, known: Iterable[x509.Certificate], *, stamp: bool) -> list[str]:
    """List everything in the unsigned parts that is not written in the one way in which we write it.

    Args:
        content: The parts.
        known: Certificates that may have issued the embedded ones.
        stamp: True for a time stamp token, whose content is inside.

    Returns:
        Short English tags, empty when nothing is wrong.
    """
    faults = [f"der:{departure.value}" for departure in content.departures]
    faults += ["ignored-elements"] * _has_ignored_elements(content)
    faults += ["unreadable-certificate"] * content.unreadable_certificates
    signed, signer_info = content.signed_data, content.signer_info
    pool = [*content.certificates, *known]
    if any(issuer_verdict(certificate, pool) is not True for certificate in content.certificates):
        faults.append("embedded-certificate")
    if any(choice.name != "certificate" for choice in signed["certificates"]):
        faults.append("certificate-kind")
    digests = signed["digest_algorithms"]
    if len(digests) != 1 or digests[0].dump() != signer_info["digest_algorithm"].dump():
        faults.append("digest-algorithms")
    if signed["version"].native != ("v3" if stamp else "v1"):
        faults.append("version")
    if signer_info["version"].native != "v1" or signer_info["sid"].name != "issuer_and_serial_number":
        faults.append("signer-identifier")
    if not isinstance(signed["crls"], core.Void):
        faults.append("crls")
    if not _canonical_algorithms(signer_info):
        faults.append("algorithm-identifier")
    unsigned = signer_info["unsigned_attrs"]
    if not isinstance(unsigned, core.Void):
        kinds = [attribute["type"].native for attribute in unsigned]
        if stamp or kinds != [_STAMP] or len(unsigned[0]["values"]) != 1:
            faults.append("unsigned-attributes")
    return faults


def _has_ignored_elements(content: SignedContent) -> bool:
    """Tell whether a structure holds more elements than were read: asn1crypto passes over what it does not know.

    An optional field whose tag was altered would otherwise vanish unnoticed, the time stamp for one.
    """
    # Parsed afresh: once `.native` was asked for, asn1crypto encodes anew what it understood, which takes seconds
    # for an ordinary file and leaves out just what is looked for here.
    info = cms.ContentInfo.load(content.encoded)
    signed = info["content"]
    signer_info = signed["signer_infos"][0]
    structures: list[Any] = [info, signed, signed["encap_content_info"], signer_info]
    unsigned = signer_info["unsigned_attrs"]
    structures += [] if isinstance(unsigned, core.Void) else list(unsigned)
    if any(map(_has_more_than_was_read, structures)):
        return True
    return any(
        remembered("more", der, partial(_certificate_has_more, der), size=len(der))
        for der in (certificate.dump() for certificate in content.certificates)
    )


def _certificate_has_more(der: bytes) -> bool:
    return _has_more_than_was_read(x509.Certificate.load(der))


def _has_more_than_was_read(structure: Any) -> bool:
    names = [field[0] for field in structure._fields]
    read = sum(not isinstance(structure[name], core.Void) for name in names)
    try:
        return strict_der.count_elements(bytes(structure.contents)) != read
    except MalformedSyntax:
        return True


def _canonical_algorithms(signer_info: cms.SignerInfo) -> bool:
    digest = signer_info["digest_algorithm"]
    name = digest["algorithm"].native
    plain = algos.DigestAlgorithm({"algorithm": name})
    allowed = {plain.dump()}
    plain["parameters"] = core.Null()
    allowed |= {plain.dump(force=True)}
    oid = digest["algorithm"].dump()
    allowed |= {b"\x30" + bytes([len(oid)]) + oid}
    if digest.dump() not in allowed:
        return False
    signature = signer_info["signature_algorithm"]
    kind = signature.signature_algo
    oid = signature["algorithm"].dump()
    tail = b"\x05\x00" if kind == "rsassa_pkcs1v15" else b""
    if kind == "rsassa_pss":
        return True  # its parameters decide the verification
    return bool(signature.dump() == b"\x30" + bytes([len(oid + tail)]) + oid + tail)
