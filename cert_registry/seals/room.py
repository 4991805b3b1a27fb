"""The seals room: every step of a seal's life as one method, the same for pages, command line and first set-up.

A step is: who may (authority) → who else must it be (two persons) → what the state allows (rules) → one
transaction of row, event and leaf → what follows in the token and at the certification authority, which a sweep
finishes when it was interrupted. What takes power away is effective with its transaction.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.civil_date import CHINA, civil_date_at
from cert_registry.errors import LogUnavailable
from cert_registry.free_text import with_plain_newlines
from cert_registry.organisations.errors import UnknownOrganisation
from cert_registry.seals.authority import require_right
from cert_registry.seals.errors import (
    ApplicationRefused,
    SealCertificateRefused,
    SealKeyUnavailable,
    SealRightMissing,
    SealStateConflict,
    TwoPersonsNeeded,
    UnknownSeal,
)
from cert_registry.seals.rules import (
    WITH_CERTIFICATE,
    check_application,
    choose_seal,
    next_state,
    reason_fault,
    require_other_person,
)
from cert_registry.seals.types import (
    CertificateSource,
    Channel,
    Seal,
    SealAct,
    SealActor,
    SealEvent,
    SealState,
)
from cert_registry.signing.errors import CertificateExpired, CertificateUnfit, KeyMisuse, SigningError
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.seal_equipment import draw_serial_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cert_registry.catalog.certificate_type import SealRule
    from cert_registry.organisations.chart import OrganisationChart
    from cert_registry.organisations.types import TypeSlug
    from cert_registry.seals.ports import LeafWriter, LicensedEquipment, SealBook
    from cert_registry.seals.types import SealApplication
    from cert_registry.types import DepartmentCode, StaffId

_LONGEST: Final = timedelta(days=1096)
# No seal is older, and a revocation list cannot name a time before 1950 (RFC 5280 section 4.1.2.5).
_FIRST_DAY: Final = datetime(2000, 1, 1, tzinfo=CHINA)
_REASONS: Final = {
    SealAct.REVOKE: RevocationReason.CESSATION_OF_OPERATION,
    SealAct.COMPROMISE: RevocationReason.KEY_COMPROMISE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRoom:
    """The parts that a seal's life needs.

    Attributes:
        chart: The organisations as committed last.
        places: Each certificate type with the kind and size of seal that it asks for.
    """

    book: SealBook
    chart: Callable[[], OrganisationChart]
    places: Mapping[TypeSlug, SealRule]
    equipment: LicensedEquipment
    leaves: LeafWriter

    # ── looking ──

    def seen_by(self, seal_id: str, staff_id: StaffId, *, now: datetime) -> Seal:
        """A seal that somebody may look at.

        Raises:
            UnknownSeal: There is none, or it is out of the person's reach: one answer.
        """
        seal = self.book.find(seal_id)
        try:
            require_right(self.chart(), staff_id, None, department=seal.department, on=civil_date_at(now))
        except SealRightMissing as error:
            raise UnknownSeal("没有这枚印章。") from error
        return seal

    def may(self, seal: Seal, act: SealAct, staff_id: StaffId, *, now: datetime) -> bool:
        """Whether somebody could do this now; for showing or hiding, never for deciding: the act decides again."""
        try:
            next_state(seal, act)
            self._require(staff_id, act, seal.department, now)
            require_other_person(seal, act, staff_id, self.book.events(seal.seal_id))
        except (SealStateConflict, SealRightMissing, TwoPersonsNeeded):
            return False
        return True

    # ── applying and deciding ──

    def apply(self, application: SealApplication, *, by: SealActor, now: datetime) -> Seal:
        """申请: a new seal, or the successor of one.

        Raises:
            SealRightMissing: The applicant's role does not reach the department.
            ApplicationRefused: One sentence a field.
        """
        today = civil_date_at(now)
        chart = self.chart()
        self._require(by.staff_id, SealAct.APPLY, application.department, now)
        try:
            slug = chart.department(application.department).slug
        except UnknownOrganisation as error:
            raise ApplicationRefused(str(error), findings=[("department", "没有这个部门。")]) from error
        replaced = None if application.replaces is None else self.book.find(application.replaces)
        check_application(application, places=self.places, replaced=replaced, today=today)
        seal = self.book.add(application, slug=slug, applicant=by.staff_id, channel=by.channel, now=now)
        self._push(now)
        return seal

    def approve(self, seal_id: str, reason: str, *, by: SealActor, now: datetime) -> Seal:
        """同意: the first, then a second person; with the second, key and certificate are made at once.

        Raises:
            SealRightMissing, TwoPersonsNeeded, SealStateConflict, ApplicationRefused: See the classes.
        """
        seal = self._act(seal_id, SealAct.APPROVE, reason, by=by, now=now)
        if seal.state is SealState.APPROVED:
            with suppress(SealKeyUnavailable, SealStateConflict):  # the sweep finishes it
                seal = self.activate(seal.seal_id, now=now)
        return seal

    def refuse(self, seal_id: str, reason: str, *, by: SealActor, now: datetime) -> Seal:
        """不同意: the application ends. Raises as `approve`."""
        return self._act(seal_id, SealAct.REFUSE, reason, by=by, now=now)

    # ── stopping and resuming ──

    def suspend(self, seal_id: str, reason: str, *, by: SealActor, now: datetime) -> Seal:
        """紧急停用: one person; no document is sealed from the commit on. Raises as `approve`."""
        return self._act(seal_id, SealAct.SUSPEND, reason, by=by, now=now)

    def resume(self, seal_id: str, reason: str, *, by: SealActor, now: datetime) -> Seal:
        """恢复: the first person agrees, a second one lets the seal work again. Raises as `approve`."""
        resuming = self.book.find(seal_id).state is SealState.RESUMING
        act = SealAct.RESUME if resuming else SealAct.AGREE_TO_RESUME
        return self._act(seal_id, act, reason, by=by, now=now)

    # ── ending ──

    def revoke(self, seal_id: str, reason: str, *, by: SealActor, now: datetime) -> Seal:
        """注销: final; its signing certificate is revoked as of now, so what it sealed before stays good.

        Raises:
            SealKeyUnavailable: The seal is ended, and its certificate will be revoked by the sweep.
            SealRightMissing, SealStateConflict, ApplicationRefused: See the classes.
        """
        return self._end(seal_id, SealAct.REVOKE, reason, as_of=now, by=by, now=now)

    def compromised(
        self, seal_id: str, reason: str, *, since: datetime, by: SealActor, now: datetime
    ) -> Seal:
        """密钥泄露: final; the revocation date is when the key may first have been in other hands.

        What was provably sealed before `since` stays good, what came later does not count, whoever made it.
        Raises as `revoke`.
        """
        if since > now:
            sentence = "不能晚于现在。"
            raise ApplicationRefused("泄露时间不对。", findings=[("since", sentence)])
        if since < _FIRST_DAY:
            sentence = "不能早于2000年1月1日。"
            raise ApplicationRefused("泄露时间不对。", findings=[("since", sentence)])
        return self._end(seal_id, SealAct.COMPROMISE, reason, as_of=since, by=by, now=now)

    # ── key and certificate ──

    def activate(self, seal_id: str, *, now: datetime) -> Seal:
        """Make what an approved seal lacks (key, certificate), then let it work; goes on where it was cut off.

        Raises:
            SealKeyUnavailable: Token or certification authority did not answer; the seal waits.
            SealCertificateRefused: A certificate of that name belongs to another key or department.
        """
        with _told(), self.equipment.locked():
            seal = self.book.find(seal_id)
            if seal.state is not SealState.APPROVED:
                return seal
            self.equipment.ensure_key(seal.key_label)
            if seal.certificate is None:
                if seal.certificate_source is CertificateSource.LICENSED:
                    self.equipment.request(seal.key_label, self.subject_of(seal))
                    return seal  # the certificate request goes out, the certificate comes in
                seal = self.book.keep_certificate(seal, _der(self._certify(seal, now)))
            seal = self._put_into_use(seal, by=None, reason="", now=now)
        self._push(now)
        return seal

    def request_certificate(self, seal_id: str, *, by: SealActor, now: datetime) -> bytes:
        """证书请求 (PEM) for a licensed CA.

        Raises:
            SealStateConflict: The seal is not approved, or our own CA issues its certificate.
            UnknownSeal, SealKeyUnavailable: See the classes.
        """
        seal = self.seen_by(seal_id, by.staff_id, now=now)
        _require_awaiting(seal)
        with _told(), self.equipment.locked():
            self.equipment.ensure_key(seal.key_label)
            return self.equipment.request(seal.key_label, self.subject_of(seal))

    def import_certificate(
        self, seal_id: str, unverified_pem: bytes, reason: str, *, by: SealActor, now: datetime
    ) -> Seal:
        """导入证书: what a licensed CA issued for the request; the seal works from then on.

        Raises:
            SealCertificateRefused: Its key, name, usage, time or chain does not fit.
            SealRightMissing, SealStateConflict, ApplicationRefused, SealKeyUnavailable: See the classes.
        """
        seal = self.book.find(seal_id)
        self._require(by.staff_id, SealAct.ACTIVATE, seal.department, now)
        if fault := reason_fault(reason):
            raise ApplicationRefused("请写明原因。", findings=[("reason", fault)])
        try:
            certificate = x509.load_pem_x509_certificate(unverified_pem)
        except ValueError as error:
            raise SealCertificateRefused("文件不是一份 PEM 格式的证书。") from error
        with _told(), self.equipment.locked():
            seal = self.book.find(seal_id)
            _require_awaiting(seal)
            self.equipment.ensure_key(seal.key_label)
            self.equipment.require_fit(seal.key_label, self.subject_of(seal), certificate, now=now)
            seal = self.book.keep_certificate(seal, _der(certificate))
            seal = self._put_into_use(seal, by=by, reason=reason, now=now)
        self._push(now)
        return seal

    def _put_into_use(self, seal: Seal, *, by: SealActor | None, reason: str, now: datetime) -> Seal:
        certificate = certificate_of(seal)
        if seal.certificate_source is CertificateSource.LICENSED:
            self.equipment.install_licensed(seal.key_label, certificate)
        else:
            self.equipment.install(seal.key_label, certificate)
        digest = certificate.fingerprint(hashes.SHA256()).hex()
        event = self._event(seal, SealAct.ACTIVATE, reason, by=by, detail=f"certificate {digest}", now=now)
        return self.book.record_activation(seal, event, replaced=self._replaced(seal, now))

    def finish(self, *, now: datetime) -> int:
        """Finish what a crash or an absent token left; returns how many seals could not be finished."""
        left = 0
        for seal in self.book.unfinished():
            try:
                if seal.revocation_pending:
                    with _told(), self.equipment.locked():
                        self._revoke_certificate(seal, now)
                elif seal.state in WITH_CERTIFICATE:
                    self._adopt(seal)
                else:
                    self.activate(seal.seal_id, now=now)
            except (SealKeyUnavailable, SealCertificateRefused, SealStateConflict):
                left += 1
        return left

    # ── using ──

    def usable_for(self, department: DepartmentCode, certificate_type: TypeSlug, *, now: datetime) -> Seal:
        """The department's seal that may seal this type now.

        Raises:
            SealUnusable: None.
        """
        return choose_seal(self.book.of_department(department), certificate_type, on=civil_date_at(now))

    # ── parts ──

    def _require(self, staff_id: StaffId, act: SealAct, department: DepartmentCode, now: datetime) -> None:
        require_right(self.chart(), staff_id, act, department=department, on=civil_date_at(now))

    def _act(
        self,
        seal_id: str,
        act: SealAct,
        reason: str,
        *,
        by: SealActor,
        now: datetime,
        detail: str = "",
        **changes: object,
    ) -> Seal:
        seal = self.book.find(seal_id)
        self._require(by.staff_id, act, seal.department, now)
        if fault := reason_fault(reason):
            raise ApplicationRefused("请写明原因。", findings=[("reason", fault)])
        state = next_state(seal, act)
        require_other_person(seal, act, by.staff_id, self.book.events(seal.seal_id))
        if state is SealState.APPROVED:  # before anything is signed
            changes["certificate_serial"] = f"{draw_serial_number():x}"
        event = self._event(seal, act, reason, by=by, detail=detail, now=now)
        seal = self.book.record(seal, event, **changes)
        self._push(now)
        return seal

    def _end(
        self, seal_id: str, act: SealAct, reason: str, *, as_of: datetime, by: SealActor, now: datetime
    ) -> Seal:
        with _told(), self.equipment.locked():  # no certificate is being made meanwhile
            found = self._adopt(self.book.find(seal_id))
            if found.state is SealState.REVOKED and not (found.revoked_as_of and as_of < found.revoked_as_of):
                raise SealStateConflict("印章已经注销，且吊销日期不晚于所填时间。")
            seal = self._act(
                seal_id,
                act,
                reason,
                by=by,
                now=now,
                detail=f"as of {as_of.astimezone(UTC).replace(microsecond=0).isoformat()}",
                revoked_as_of=as_of,
                revocation_pending=found.certificate is not None
                and found.certificate_source is CertificateSource.OWN,
            )
            if seal.revocation_pending:
                self._revoke_certificate(seal, now)
        return self.book.find(seal_id)

    def _revoke_certificate(self, seal: Seal, now: datetime) -> None:
        act = next(event.act for event in reversed(self.book.events(seal.seal_id)) if event.act in _REASONS)
        self.equipment.revoke(
            certificate_of(seal), reason=_REASONS[act], as_of=seal.revoked_as_of or now, now=now
        )
        self.book.revocation_done(seal)

    def _adopt(self, seal: Seal) -> Seal:
        """A seal from before certificates were kept here gets the one that stands in the directory."""
        if seal.certificate is not None or seal.state not in WITH_CERTIFICATE:
            return seal
        with _told():
            found = self.equipment.existing_certificate(seal.key_label, self.subject_of(seal))
        if found is None:
            raise SealCertificateRefused("没有找到这枚印章的签名证书，请联系运维人员。")
        return self.book.keep_certificate(seal, _der(found))

    def _certify(self, seal: Seal, now: datetime) -> x509.Certificate:
        subject = self.subject_of(seal)
        found = self.equipment.existing_certificate(seal.key_label, subject)
        if found is not None:
            return found
        if seal.certificate_serial is None:
            raise AssertionError("the second approval draws the serial number")
        valid_for = _LONGEST
        if seal.valid_to is not None:
            end = datetime.combine(seal.valid_to + timedelta(days=1), time(), CHINA)
            valid_for = min(valid_for, max(end - now, timedelta(hours=1)))
        return self.equipment.sign_certificate(
            seal.key_label, subject, serial_number=seal.certificate_serial, valid_for=valid_for, now=now
        )

    def subject_of(self, seal: Seal) -> Subject:
        """Whom the seal's certificate names."""
        return Subject(
            common_name=seal.name,
            organisation=self.chart().department(seal.department).name,
            credit_code=seal.department,
        )

    def _replaced(self, seal: Seal, now: datetime) -> SealEvent | None:
        if seal.replaces is None:
            return None
        old = self.book.find(seal.replaces)
        try:
            next_state(old, SealAct.REPLACE)
        except SealStateConflict:
            return None  # it ended by itself meanwhile
        return self._event(old, SealAct.REPLACE, "", detail=f"replaced by {seal.seal_id}", now=now)

    def _event(
        self,
        seal: Seal,
        act: SealAct,
        reason: str,
        *,
        by: SealActor | None = None,
        detail: str = "",
        now: datetime,
    ) -> SealEvent:
        return SealEvent(
            seal_id=seal.seal_id,
            sequence=seal.revision + 1,
            act=act,
            state=next_state(seal, act),
            actor_id="" if by is None else by.staff_id,
            channel=Channel.SYSTEM if by is None else by.channel,
            reason=with_plain_newlines(reason),
            detail=detail,
            recorded_at=now,
        )

    def _push(self, now: datetime) -> None:
        with suppress(LogUnavailable):  # the act stands; its leaf waits in the outbox
            self.leaves.push(now=now)


def certificate_of(seal: Seal) -> x509.Certificate:
    """The seal's signing certificate.

    Raises:
        SealCertificateRefused: It has none, or what is stored is damaged.
    """
    if seal.certificate is None:
        raise SealCertificateRefused("这枚印章还没有签名证书。")
    try:
        return x509.load_der_x509_certificate(seal.certificate)
    except ValueError as error:
        raise SealCertificateRefused("印章的签名证书不可读。") from error


def is_awaiting_certificate(seal: Seal) -> bool:
    """Whether the seal is approved and waits for a licensed CA's certificate."""
    return seal.state is SealState.APPROVED and seal.certificate_source is CertificateSource.LICENSED


def _require_awaiting(seal: Seal) -> None:
    if not is_awaiting_certificate(seal):
        raise SealStateConflict("这枚印章不在等待电子认证机构的证书。")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the signing room as this room tells them."""
    try:
        yield
    except CertificateUnfit as error:
        raise SealCertificateRefused(str(error)) from error
    except (KeyMisuse, CertificateExpired) as error:
        raise SealCertificateRefused("密码设备里同名的密钥或证书不属于这枚印章，请联系运维人员。") from error
    except SigningError as error:
        raise SealKeyUnavailable(
            "密码设备或证书服务暂时没有应答，系统会自动继续，不需要重新办理。"
        ) from error
