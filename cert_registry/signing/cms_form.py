"""A CMS signature as a form: everything that is the same for one key is encoded once, the rest is filled in.

The form is cut from a SignedData that the ordinary encoder made, so both ways give the same bytes; a test
compares them. What varies is the message digest, the signature value, the content of a time stamp, and the time
stamp that a seal carries.

    ContentInfo   SEQUENCE { signedData, [0] SignedData }
    SignedData    SEQUENCE { version, digestAlgorithms, encapContentInfo, [0] certificates, SET { SignerInfo } }
    SignerInfo    SEQUENCE { version, sid, digestAlgorithm, [0] signedAttrs, signatureAlgorithm, signature,
                             [1] unsignedAttrs OPTIONAL }

Source: RFC 5652 section 5; RFC 3161 Appendix A (the time-stamp attribute).
"""

from dataclasses import dataclass

from asn1crypto import cms, core

from cert_registry.signing.der_writer import OCTET_STRING, SEQUENCE, SET, tlv
from cert_registry.signing.errors import SealingFailed

_SIGNED_DATA = core.ObjectIdentifier("1.2.840.113549.1.7.2").dump()
_TST_INFO = core.ObjectIdentifier("1.2.840.113549.1.9.16.1.4").dump()
_STAMP_ATTRIBUTE = core.ObjectIdentifier("1.2.840.113549.1.9.16.2.14").dump()
_EXPLICIT_0, _EXPLICIT_1 = 0xA0, 0xA1


@dataclass(frozen=True, slots=True, kw_only=True)
class CmsForm:
    """One signer's CMS with blanks.

    Args:
        before_content: version and digestAlgorithms.
        detached_content: encapContentInfo of a detached signature; a time stamp writes its own.
        certificates: The embedded certificates.
        signer: version, sid and digestAlgorithm of the SignerInfo.
        attributes: The signed attributes (contents of the SET) before and after the message digest.
        signature_algorithm: Its AlgorithmIdentifier.
    """

    before_content: bytes
    detached_content: bytes
    certificates: bytes
    signer: bytes
    attributes: tuple[bytes, bytes]
    signature_algorithm: bytes

    @classmethod
    def cut_from(cls, encoded: cms.ContentInfo, *, digest: bytes) -> "CmsForm":
        """Cut a form from a CMS whose signed message digest is `digest`.

        Raises:
            SealingFailed: The digest does not stand in the signed attributes exactly once.
        """
        signed = encoded["content"]
        signer = signed["signer_infos"][0]
        attributes = signer["signed_attrs"].untag()
        around = attributes.contents.split(digest)
        if len(around) != 2:
            raise SealingFailed("The signed attributes do not hold the digest once.")
        return cls(
            before_content=signed["version"].dump() + signed["digest_algorithms"].dump(),
            detached_content=signed["encap_content_info"].dump(),
            certificates=signed["certificates"].dump(),
            signer=signer["version"].dump() + signer["sid"].dump() + signer["digest_algorithm"].dump(),
            attributes=(around[0], around[1]),
            signature_algorithm=signer["signature_algorithm"].dump(),
        )

    def signed_attributes(self, digest: bytes) -> bytes:
        """Return what the key signs: the attributes as a SET OF with the message digest filled in."""
        before, after = self.attributes
        return tlv(SET, before, digest, after)

    def filled(
        self,
        attributes: bytes,
        signature: bytes,
        *,
        stamp: bytes | None = None,
        stamped_content: bytes | None = None,
        with_certificates: bool = True,
    ) -> bytes:
        """Return the whole ContentInfo.

        Args:
            attributes: As `signed_attributes` returned them.
            signature: The key's signature over them.
            stamp: A time-stamp token (ContentInfo, DER) over the signature value.
            stamped_content: TSTInfo (DER) when this is itself a time stamp.
            with_certificates: Whether the certificates are embedded.
        """
        unsigned = b""
        if stamp is not None:
            unsigned = tlv(_EXPLICIT_1, tlv(SEQUENCE, _STAMP_ATTRIBUTE, tlv(SET, stamp)))
        signer = tlv(
            SEQUENCE,
            self.signer,
            bytes((_EXPLICIT_0,)) + attributes[1:],  # [0] IMPLICIT SET OF: only the tag differs
            self.signature_algorithm,
            tlv(OCTET_STRING, signature),
            unsigned,
        )
        content = self.detached_content
        if stamped_content is not None:
            content = tlv(SEQUENCE, _TST_INFO, tlv(_EXPLICIT_0, tlv(OCTET_STRING, stamped_content)))
        certificates = self.certificates if with_certificates else b""
        signed = tlv(SEQUENCE, self.before_content, content, certificates, tlv(SET, signer))
        return tlv(SEQUENCE, _SIGNED_DATA, tlv(_EXPLICIT_0, signed))
