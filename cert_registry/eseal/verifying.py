"""Verifying e-seals and signatures with them, in the order of GM/T 0031-2025.

A seal: (1) format, (2) the maker's signature, (3) creation time, (4) the maker's certificate, (5) the seal's own
validity, (6) its time stamp. That the maker's certificate expired or was revoked after the seal was made is a
warning and no more. A signature: its own signature, the protected data, whether the seal lists the signer, the
signer's certificate at the time of signing, then the seal as above at that time, and the time stamp.

Source: GM/T 0031-2025 (verification); GB/T 38540-2020 clauses 6.4 and 7.4.
"""

from datetime import datetime
from types import MappingProxyType

from cryptography import x509

from cert_registry.eseal.algorithms import (
    DIGEST_OF,
    digest,
    digest_named,
    load_certificate,
    verify_signature,
)
from cert_registry.eseal.errors import EsealMalformed
from cert_registry.eseal.ports import CertificateJudge, Judgement, Standing
from cert_registry.eseal.reading import is_signature, read_seal, read_signature
from cert_registry.eseal.report import EsealReport, Finding, Severity, Step
from cert_registry.eseal.types import EsealVersion, UnverifiedSeal, UnverifiedSignature
from cert_registry.sm2.errors import SignatureInvalid

_STANDINGS = MappingProxyType(
    {
        Standing.UNTRUSTED: (Severity.UNDECIDED, "不在信任的证书链上"),
        Standing.NOT_YET_VALID: (Severity.ERROR, "当时尚未生效"),
        Standing.EXPIRED: (Severity.ERROR, "当时已经过期"),
        Standing.REVOKED: (Severity.ERROR, "当时已经吊销"),
        Standing.UNKNOWN: (Severity.UNDECIDED, "没有吊销信息，不能确定当时是否有效"),
    }
)


def verify(der: bytes, *, judge: CertificateJudge, now: datetime, data: bytes | None = None) -> EsealReport:
    """Verify an SESeal or an SES_Signature, whichever it is.

    Args:
        der: The structure.
        judge: Judges certificates and reads time stamps.
        now: Aware UTC time.
        data: The protected data of a signature; without it the verdict is INDETERMINATE at best.

    Returns:
        The report; whatever the bytes are, it never raises for them.
    """
    try:
        if is_signature(der):
            return _verify_signature(read_signature(der), judge=judge, now=now, data=data)
        return _verify_seal(read_seal(der), judge=judge, now=now)
    except EsealMalformed:
        sentence = "不是符合规范的电子印章或电子签章数据。"
        return EsealReport(findings=(_error(Step.FORMAT, sentence),))


def _verify_seal(seal: UnverifiedSeal, *, judge: CertificateJudge, now: datetime) -> EsealReport:
    maker = load_certificate(seal.maker)
    return EsealReport(
        findings=tuple(_seal_findings(seal, maker, judge=judge, now=now, used_at=now)),
        kind="seal",
        version=seal.version,
        seal_id=seal.content.seal_id,
        name=seal.content.name,
        maker=maker.subject.rfc4514_string(),
        created_at=seal.content.created_at,
        valid_from=seal.content.valid_from,
        valid_until=seal.content.valid_until,
    )


def _seal_findings(
    seal: UnverifiedSeal,
    maker: x509.Certificate,
    *,
    judge: CertificateJudge,
    now: datetime,
    used_at: datetime,
) -> list[Finding]:
    content = seal.content
    findings: list[Finding] = []
    if any(extension.critical for extension in content.extensions):  # (1) format
        findings.append(_undecided(Step.FORMAT, "印章含有必须理解而本程序不认识的扩展。"))
    try:  # (2) the maker's signature
        verify_signature(maker, seal.algorithm, seal.signature, seal.signed_bytes)
    except SignatureInvalid:
        findings.append(_error(Step.SEAL_SIGNATURE, "制章人的签名不成立，印章内容被改动过。"))
        return findings
    if content.created_at > now:  # (3) creation time
        findings.append(_error(Step.CREATION_TIME, "印章的制作时间在将来。"))
    findings += _maker_findings(seal, maker, judge=judge, now=now)  # (4) the maker's certificate
    if content.valid_until < content.valid_from:  # (5) the seal's validity
        findings.append(_error(Step.SEAL_VALIDITY, "印章的有效期起止颠倒。"))
    elif not content.valid_from <= used_at <= content.valid_until:
        word = "尚未生效" if used_at < content.valid_from else "已经过期"
        findings.append(_error(Step.SEAL_VALIDITY, f"印章{word}。"))
    if seal.time_stamp is not None:  # (6) time stamp
        stamped = judge.stamped_at(seal.time_stamp, seal.signature, now=now)
        if stamped is None:
            findings.append(_error(Step.SEAL_TIME_STAMP, "印章的时间戳不成立。"))
        elif content.created_at > stamped:
            findings.append(_error(Step.SEAL_TIME_STAMP, "印章的制作时间晚于时间戳的时间。"))
    return findings


def _maker_findings(
    seal: UnverifiedSeal, maker: x509.Certificate, *, judge: CertificateJudge, now: datetime
) -> list[Finding]:
    step, created = Step.MAKER_CERTIFICATE, seal.content.created_at
    findings: list[Finding] = []
    if not _may_sign(maker):
        findings.append(_error(step, "制章人的证书不能用于签名。"))
    then = judge.judge(seal.maker, at=created)
    if then.standing is Standing.REVOKED and then.revoked_at is not None and then.revoked_at > created:
        then = Judgement(standing=Standing.GOOD)
    findings += _standing(step, "制章人的证书", then)
    if then.standing is Standing.GOOD:
        later = judge.judge(seal.maker, at=now)
        if later.standing in {Standing.EXPIRED, Standing.REVOKED}:
            word = "过期" if later.standing is Standing.EXPIRED else "吊销"
            findings.append(
                Finding(step=step, severity=Severity.WARNING, sentence=f"制章人的证书在制章之后{word}。")
            )
    return findings


def _verify_signature(
    signed: UnverifiedSignature, *, judge: CertificateJudge, now: datetime, data: bytes | None
) -> EsealReport:
    seal, content = signed.seal, signed.seal.content
    maker, signer = load_certificate(seal.maker), load_certificate(signed.signer)
    findings: list[Finding] = []
    try:
        verify_signature(signer, signed.algorithm, signed.signature, signed.signed_bytes)
    except SignatureInvalid:
        findings.append(_error(Step.SIGNATURE, "签章人的签名不成立，签章内容被改动过。"))
    findings += _data_findings(signed, data)
    if not _is_listed(signed):
        findings.append(_error(Step.SIGNER_LISTED, "签章人的证书不在印章的证书列表里。"))
    stamped, stamp_findings = _stamp_findings(signed, judge=judge, now=now)
    signed_at = stamped or signed.claimed_time
    if signed_at is None:
        findings.append(_undecided(Step.SIGNING_TIME, "不能确定签章时间。"))
    elif signed_at > now:
        findings.append(_error(Step.SIGNING_TIME, "签章时间在将来。"))
    elif signed_at < content.created_at:
        findings.append(_error(Step.SIGNING_TIME, "签章时间早于印章的制作时间。"))
    moment = signed_at or now
    if not _may_sign(signer):
        findings.append(_error(Step.SIGNER_CERTIFICATE, "签章人的证书不能用于签名。"))
    standing = judge.judge(signed.signer, at=moment)
    if standing.standing is Standing.REVOKED and standing.revoked_at and standing.revoked_at > moment:
        standing = Judgement(standing=Standing.GOOD)
    if (
        standing.standing is Standing.GOOD
        and stamped is None
        and judge.judge(signed.signer, at=now).standing is Standing.REVOKED
    ):  # whoever holds a revoked key can claim any time
        findings.append(
            _undecided(
                Step.SIGNER_CERTIFICATE, "签章人的证书后来被吊销，没有时间戳，不能确定签章在吊销之前。"
            )
        )
    findings += _standing(Step.SIGNER_CERTIFICATE, "签章人的证书", standing)
    findings += _seal_findings(seal, maker, judge=judge, now=now, used_at=moment)
    return EsealReport(
        findings=(*findings, *stamp_findings),
        kind="signature",
        version=signed.version,
        seal_id=content.seal_id,
        name=content.name,
        maker=maker.subject.rfc4514_string(),
        created_at=content.created_at,
        valid_from=content.valid_from,
        valid_until=content.valid_until,
        signer=signer.subject.rfc4514_string(),
        signed_at=signed_at,
        property_info=signed.property_info,
    )


def _data_findings(signed: UnverifiedSignature, data: bytes | None) -> list[Finding]:
    name = DIGEST_OF.get(signed.algorithm)
    if name is None:
        return []  # the signature has failed already
    if data is None:
        return [_undecided(Step.PROTECTED_DATA, "没有给出被保护的数据，不能确定其是否被改动。")]
    if digest(name, data) != signed.data_hash:
        return [_error(Step.PROTECTED_DATA, "被保护的数据与签章时不一致。")]
    return []


def _stamp_findings(
    signed: UnverifiedSignature, *, judge: CertificateJudge, now: datetime
) -> tuple[datetime | None, list[Finding]]:
    if signed.time_stamp is None or signed.version is EsealVersion.V1:
        return None, []  # what version 1 stamps is not known here
    stamped = judge.stamped_at(signed.time_stamp, signed.signature, now=now)
    if stamped is None:
        return None, [_error(Step.TIME_STAMP, "签章的时间戳不成立。")]
    if signed.claimed_time is not None and signed.claimed_time > stamped:
        return stamped, [_error(Step.TIME_STAMP, "签章时间晚于时间戳的时间。")]
    return stamped, []


def _is_listed(signed: UnverifiedSignature) -> bool:
    content = signed.seal.content
    if signed.signer in content.holders:
        return True
    for mark in content.marks:
        name = digest_named(mark.name)
        if name is not None and digest(name, signed.signer) == mark.value:
            return True
    return False


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True  # RFC 5280: without the extension any use is allowed
    return usage.digital_signature or usage.content_commitment


def _standing(step: Step, whose: str, judgement: Judgement) -> list[Finding]:
    if judgement.standing is Standing.GOOD:
        return []
    severity, words = _STANDINGS[judgement.standing]
    return [Finding(step=step, severity=severity, sentence=f"{whose}{words}。")]


def _error(step: Step, sentence: str) -> Finding:
    return Finding(step=step, severity=Severity.ERROR, sentence=sentence)


def _undecided(step: Step, sentence: str) -> Finding:
    return Finding(step=step, severity=Severity.UNDECIDED, sentence=sentence)
