"""A certificate request goes out to a licensed CA, its certificate comes in and is checked against the seal."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from cert_registry.signing.errors import CertificateUnfit
from cert_registry.signing.own_signatures import PublicKey
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.licensed import authority_of
from cert_registry.signing.private_keys import builder_key
from cert_registry.signing.token import SigningKey

_LEAST_LEFT = timedelta(days=30)
#: id-kp-documentSigning, RFC 9336.
_DOCUMENTS = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
_FOR_DOCUMENTS = {
    _DOCUMENTS,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}


def certificate_request(key: SigningKey, subject: Subject) -> bytes:
    """A PKCS#10 request (PEM) for a seal, signed inside the token; it asks for contentCommitment alone.

    Raises:
        TokenUnavailable: The token does not answer.
    """
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject.to_name())
        .add_extension(usage, critical=True)
        .sign(builder_key(key), hashes.SHA256())
    )
    return request.public_bytes(Encoding.PEM)


def require_fit(
    certificate: x509.Certificate,
    *,
    public_key: PublicKey,
    subject: Subject,
    pki_directory: Path,
    now: datetime,
) -> None:
    """Evidence that a certificate that came in is this seal's.

    Args:
        certificate: Not yet trusted.
        public_key: Of the seal's key in the token.
        subject: Whom it must name.
        pki_directory: Where the licensed CAs are named.
        now: Aware UTC time.

    Raises:
        CertificateUnfit: With one sentence that says what does not fit.
        AuthorityUnavailable: The CA's revocation list cannot be had.
    """
    if certificate.public_key() != public_key:
        raise CertificateUnfit("证书里的公钥不是这枚印章在密码设备中的密钥。")
    _require_name(certificate, subject)
    _require_usage(certificate)
    if not certificate.not_valid_before_utc <= now:
        raise CertificateUnfit("证书还没有生效。")
    if certificate.not_valid_after_utc < now + _LEAST_LEFT:
        raise CertificateUnfit("证书已过期，或剩余有效期不足30天。")
    authority = authority_of(pki_directory, certificate)
    if authority is None:
        raise CertificateUnfit("证书不是由已配置的电子认证机构签发的，或证书链不完整。")
    for one in authority.chain_of(certificate) or ():
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            raise CertificateUnfit("签发证书的机构证书不在有效期内。")
    if authority.is_revoked(certificate, now=now):
        raise CertificateUnfit("证书已被签发机构吊销。")


def _require_name(certificate: x509.Certificate, subject: Subject) -> None:
    def values(oid: ObjectIdentifier) -> list[str]:
        return [str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)]

    if values(NameOID.ORGANIZATION_NAME) != [subject.organisation]:
        raise CertificateUnfit("证书的单位名称与印章所属部门不一致。")
    if values(NameOID.COMMON_NAME) != [subject.common_name]:
        raise CertificateUnfit("证书的名称与印章名称不一致。")
    numbers = {*values(NameOID.ORGANIZATION_IDENTIFIER), *values(NameOID.SERIAL_NUMBER)}
    if not numbers & {f"NTRCN-{subject.credit_code}", str(subject.credit_code)}:
        raise CertificateUnfit("证书里没有该部门的统一社会信用代码，或代码不一致。")


def _require_usage(certificate: x509.Certificate) -> None:
    extensions = certificate.extensions
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise CertificateUnfit("证书没有写明密钥用途。") from error
    if not usage.content_commitment or usage.key_cert_sign or usage.crl_sign:
        raise CertificateUnfit("证书的密钥用途不是盖章：须有不可否认（contentCommitment），不能有签发证书。")
    try:
        purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return
    if not purposes & _FOR_DOCUMENTS:
        raise CertificateUnfit("证书的扩展用途不是签署文件。")
