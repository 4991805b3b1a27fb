"""Certificate chains at a moment, with the revocation data at hand and never any from the network.

A chain is judged at its control time: the earliest time at which the signature is proved to have existed, or
the validation time. Revocation data issued later speaks about that time too. A certificate that names a CRL
or an OCSP responder needs an answer from one; a certificate that names neither cannot be asked about.

Source: RFC 5280 section 6; EN 319 102-1 clauses 5.2.6 and 5.6.2.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asn1crypto import crl, ocsp, x509
from cryptography import x509 as readable
from pyhanko_certvalidator import ValidationContext, find_valid_path
from pyhanko_certvalidator import errors as pki
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.policy_decl import RevocationCheckingRule as _Rule

from verify_api.validation.known import answer_of, certificate_of, revocation_list_of
from verify_api.validation.signature_values import CarefulValidator
from verify_api.validation.trust import fingerprint
from verify_api.validation.verdicts import SubIndication

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from pyhanko_certvalidator.path import ValidationPath

    from verify_api.validation.trust import TrustAnchors

_MAX_REVOCATION_VALUES = 64
_MAX_ISSUERS = 6  # with more, one of each name; then every certificate has one way up
_REVOKED = frozenset({SubIndication.REVOKED, SubIndication.REVOKED_CA_NO_POE})


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Certificates and revocation data that a file brought, or that the caller added."""

    certificates: dict[bytes, x509.Certificate] = field(default_factory=dict)
    crls: dict[bytes, crl.CertificateList] = field(default_factory=dict)
    ocsps: dict[bytes, ocsp.OCSPResponse] = field(default_factory=dict)
    offered: set[bytes] = field(default_factory=set)  # digests of lists that the caller added
    unreadable: int = 0  # values that could not be parsed
    _seen: set[bytes] = field(default_factory=set)  # of values that were added or refused
    _indexed: dict[int, readable.CertificateRevocationList | None] = field(default_factory=dict)
    _faults: dict[tuple[int, int, int, bool], list[str]] = field(default_factory=dict)

    def add_certificate(self, der: bytes) -> None:
        """Add a certificate by its DER; a damaged one is counted."""
        if self._known(der):
            return
        certificate = certificate_of(der)
        if certificate is None:
            self.unreadable += 1
            return
        self.certificates.setdefault(fingerprint(certificate), certificate)

    def add_crl(self, der: bytes, *, offered: bool = False) -> None:
        """Add a CRL by its DER; a damaged one is counted.

        Args:
            der: The list.
            offered: The caller's and not the file's: that its issuer is not in the file is no fault of the file.
        """
        if self._known(der):
            return
        if offered:
            self.offered.add(hashlib.sha256(der).digest())
        try:
            value = revocation_list_of(der)
        except Exception:  # noqa: BLE001 - asn1crypto raises many builtin kinds on damaged values
            self.unreadable += 1
            return
        self.crls.setdefault(hashlib.sha256(der).digest(), value)

    def _known(self, der: bytes) -> bool:
        """Tell whether a value was met before; files embed the same ones many times."""
        digest = hashlib.sha256(der).digest()
        known = digest in self._seen
        self._seen.add(digest)
        return known

    def lists(self, value: crl.CertificateList, serials: set[int]) -> bool:
        """Tell whether a list names one of these serial numbers as revoked, or cannot be searched."""
        if id(value) not in self._indexed:
            try:
                self._indexed[id(value)] = readable.load_der_x509_crl(value.dump())
            except (ValueError, TypeError):
                self._indexed[id(value)] = None
        indexed = self._indexed[id(value)]
        try:
            return indexed is None or any(
                indexed.get_revoked_certificate_by_serial_number(serial) is not None for serial in serials
            )
        except (ValueError, TypeError):
            return True

    def faults(self, *, strict: bool, find: Callable[[], list[str]]) -> list[str]:
        """Return what `find` finds out about the values, without asking twice while no value is added."""
        state = (len(self.certificates), len(self.crls), len(self.ocsps), strict)
        if state not in self._faults:
            self._faults[state] = find()
        return self._faults[state]

    def add_ocsp(self, der: bytes) -> None:
        """Add an OCSP response by its DER; a damaged one is counted."""
        if self._known(der):
            return
        try:
            value = answer_of(der)
            basic = value["response_bytes"]["response"].parsed
            for embedded in basic["certs"] or ():
                self.add_certificate(
                    embedded.chosen.dump() if hasattr(embedded, "chosen") else embedded.dump()
                )
        except Exception:  # noqa: BLE001 - as above
            self.unreadable += 1
            return
        self.ocsps.setdefault(hashlib.sha256(der).digest(), value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFinding:
    """The outcome for one certificate: no `problem` means that its chain holds at the control time."""

    problem: SubIndication | None
    anchor: x509.Certificate | None = None
    path: tuple[x509.Certificate, ...] = ()  # end entity last
    revoked_at: datetime | None = None
    detail: str = ""


def check_chain(
    certificate: x509.Certificate, *, trust: TrustAnchors, evidence: Evidence, control_time: datetime
) -> ChainFinding:
    """Find a chain from a certificate to an anchor that holds at the control time.

    Args:
        certificate: The end entity's certificate.
        trust: Anchors to end at.
        evidence: Certificates and revocation data to use.
        control_time: The moment to judge at, aware.

    Returns:
        The finding; it never raises for what a file brought.
    """
    anchors = trust.parsed()
    if not anchors:
        return ChainFinding(problem=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, detail="no trust anchor")
    others = _few_ways(list(evidence.certificates.values()), {fingerprint(a) for a in anchors})
    crls = list(evidence.crls.values())[:_MAX_REVOCATION_VALUES]
    ocsps = list(evidence.ocsps.values())[:_MAX_REVOCATION_VALUES]

    def attempt(policy: CertRevTrustPolicy, use_crls: list[Any], use_ocsps: list[Any]) -> ChainFinding:
        context = ValidationContext(
            trust_roots=anchors,
            other_certs=others,
            moment=control_time,
            crls=use_crls,
            ocsps=use_ocsps,
            revinfo_policy=policy,
            allow_fetching=False,
            signature_validator=CarefulValidator(),
        )
        return _run(_attempt(certificate, context))

    finding = attempt(_policy(_Rule.CHECK_IF_DECLARED, _Rule.CHECK_IF_DECLARED), crls, ocsps)
    if finding.problem in _REVOKED:
        return finding
    # One value saying "good" must not hide another that says "revoked", and a list is believed even when the
    # certificate names none: each value that speaks of a revocation is asked alone as well, about signer and CAs.
    serials = {one.serial_number for one in (certificate, *others, *anchors)}
    singles: list[tuple[_Rule, list[Any], list[Any]]] = []
    singles += [(_Rule.CRL_REQUIRED, [one], []) for one in crls if evidence.lists(one, serials)]
    singles += [(_Rule.OCSP_REQUIRED, [], [one]) for one in ocsps if _says_revoked(one)]
    for rule, use_crls, use_ocsps in singles:
        for policy in (_policy(rule, _Rule.NO_CHECK), _policy(_Rule.NO_CHECK, rule)):
            single = attempt(policy, use_crls, use_ocsps)
            if single.problem in _REVOKED:
                return single
    return finding


def _says_revoked(value: ocsp.OCSPResponse) -> bool:
    try:
        answers = value["response_bytes"]["response"].parsed["tbs_response_data"]["responses"]
        return any(one["cert_status"].name == "revoked" for one in answers)
    except (ValueError, TypeError, KeyError):
        return True  # not understood: ask it


def _few_ways(certificates: list[x509.Certificate], anchors: set[bytes]) -> list[x509.Certificate]:
    """Leave out what would make the search for paths explode: namesakes, each of which may issue the others."""
    issuers = {certificate.issuer.hashable for certificate in certificates}
    kept: list[x509.Certificate] = []
    by_name: dict[str, list[x509.Certificate]] = {}
    for certificate in certificates:
        name = certificate.subject.hashable
        if name not in issuers:
            kept.append(certificate)
        elif name != certificate.issuer.hashable or fingerprint(certificate) in anchors:
            by_name.setdefault(name, []).append(certificate)
    crowded = sum(map(len, by_name.values())) > _MAX_ISSUERS
    return kept + [one for namesakes in by_name.values() for one in (namesakes[:1] if crowded else namesakes)]


def _policy(signer: _Rule, authorities: _Rule) -> CertRevTrustPolicy:
    rules = RevocationCheckingPolicy(ee_certificate_rule=signer, intermediate_ca_cert_rule=authorities)
    return CertRevTrustPolicy(rules, retroactive_revinfo=True)


def _run(attempt: Coroutine[Any, Any, ChainFinding]) -> ChainFinding:
    """Run what never waits, since nothing is fetched: an event loop would cost more than the work."""
    try:
        attempt.send(None)
    except StopIteration as done:
        finding: ChainFinding = done.value
        return finding
    attempt.close()
    return ChainFinding(problem=SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE, detail="waits for something")


async def _attempt(certificate: x509.Certificate, context: ValidationContext) -> ChainFinding:
    try:
        paths = context.path_builder.async_build_paths_lazy(certificate)
        path = await find_valid_path(certificate, paths, context)
    except pki.RevokedError as error:
        problem = SubIndication.REVOKED if error.is_ee_cert else SubIndication.REVOKED_CA_NO_POE
        if error.is_side_validation:
            problem = SubIndication.TRY_LATER
        return _failed(problem, error, error.revocation_dt)
    except pki.ExpiredError as error:
        return _failed(SubIndication.OUT_OF_BOUNDS_NO_POE, error)
    except pki.NotYetValidError as error:
        return _failed(SubIndication.NOT_YET_VALID, error)
    except pki.InsufficientRevinfoError as error:
        return _failed(SubIndication.TRY_LATER, error)
    except pki.DisallowedAlgorithmError as error:
        return _failed(SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, error)
    except (pki.PathBuildingError, pki.InvalidCertificateError) as error:
        return _failed(SubIndication.NO_CERTIFICATE_CHAIN_FOUND, error)
    except pki.PathValidationError as error:
        # A namesake of an anchor: the names fit, the key does not.
        forged = "signature" in str(error)
        problem = (
            SubIndication.NO_CERTIFICATE_CHAIN_FOUND if forged else SubIndication.CHAIN_CONSTRAINTS_FAILURE
        )
        return _failed(problem, error)
    except Exception as error:  # noqa: BLE001 - the library raises builtin errors on hostile certificates
        return _failed(SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE, error)
    return ChainFinding(problem=None, anchor=_anchor_of(path), path=tuple(path.iter_certs(include_root=True)))


def _failed(problem: SubIndication, error: Exception, revoked_at: datetime | None = None) -> ChainFinding:
    original = getattr(error, "original_path", None)
    return ChainFinding(
        problem=problem,
        anchor=_anchor_of(original) if original is not None else None,
        revoked_at=revoked_at,
        detail=str(error),
    )


def _anchor_of(path: ValidationPath) -> x509.Certificate | None:
    authority = path.trust_anchor.authority
    certificate = getattr(authority, "certificate", None)
    return certificate if isinstance(certificate, x509.Certificate) else None
