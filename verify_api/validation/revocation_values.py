"""Whether embedded revocation data is what its issuer signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asn1crypto import crl

from verify_api.validation.issuers import issuer_verdict
from verify_api.validation.signature_values import signature_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asn1crypto import ocsp, x509

    from verify_api.validation.chains import Evidence


def unverified_values(evidence: Evidence, known: Sequence[x509.Certificate], *, strict: bool) -> list[str]:
    """List revocation values and certificates whose signature does not hold.

    Args:
        evidence: What the file brought.
        known: Certificates that may have signed.
        strict: Also list those whose issuer is not there.

    Returns:
        Short English tags.
    """
    refused = {False, None} if strict else {False}
    faults = [
        f"crl:{verdict}"
        for mark, value in evidence.crls.items()
        if (verdict := _crl_verdict(value, known)) in refused
        and not (verdict is None and mark in evidence.offered)
    ]
    faults += [
        f"ocsp:{v}" for v in (_ocsp_verdict(r, known) for r in evidence.ocsps.values()) if v in refused
    ]
    faults += [
        f"certificate:{v}"
        for v in (issuer_verdict(c, known) for c in evidence.certificates.values())
        if v in refused
    ]
    return faults


def list_verdict(choice: Any, known: Sequence[x509.Certificate]) -> bool | None:
    """Say whether a revocation list that a CMS embeds is what its issuer signed; other kinds of data are not judged."""
    try:
        value = crl.CertificateList.load(choice.chosen.dump(), strict=True)
        _ = value["tbs_cert_list"].native
        return _crl_verdict(value, known)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - asn1crypto raises many builtin kinds on damaged values
        return None


def _crl_verdict(value: crl.CertificateList, known: Sequence[x509.Certificate]) -> bool | None:
    body = value["tbs_cert_list"]
    if body["signature"].dump() != value["signature_algorithm"].dump():
        return False
    verdict: bool | None = None
    for issuer in known:
        if issuer.subject.hashable != body["issuer"].hashable:
            continue
        outcome = signature_verdict(
            issuer.public_key, value["signature_algorithm"], body.dump(), value["signature"].native
        )
        if outcome:
            return True
        verdict = outcome if verdict is None else verdict
    return verdict


def _ocsp_verdict(value: ocsp.OCSPResponse, known: Sequence[x509.Certificate]) -> bool | None:
    basic = value["response_bytes"]["response"].parsed
    body = basic["tbs_response_data"]
    responder = body["responder_id"]
    verdict: bool | None = None
    for issuer in known:
        if responder.name == "by_name":
            fits = issuer.subject.hashable == responder.chosen.hashable
        else:
            fits = issuer.public_key.sha1 == responder.chosen.native
        if not fits:
            continue
        outcome = signature_verdict(
            issuer.public_key, basic["signature_algorithm"], body.dump(), basic["signature"].native
        )
        if outcome:
            return True
        verdict = outcome if verdict is None else verdict
    return verdict
