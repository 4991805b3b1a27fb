"""The links of accounts, in process."""

from datetime import datetime

from idp.identity.assurance import RealnameLevel
from idp.identity.errors import ActRefused, NotProved
from idp.identity.links import CONSENT, DOWNLOADED, SHOWN
from idp.store.acts import Act, ActBook, ActKind
from idp.store.persons import PersonState, PersonStore

_KINDS = {
    SHOWN: ActKind.ECERT_SHOWN,
    DOWNLOADED: ActKind.ECERT_DOWNLOADED,
    CONSENT: ActKind.CONSENT,
}


class InProcessLinks:
    """A `Links` beside the store."""

    def __init__(self, persons: PersonStore, acts: ActBook) -> None:
        self._persons = persons
        self._acts = acts

    def in_force(self, link: str, *, now: datetime) -> RealnameLevel:
        """The level that a link stands for now.

        Raises:
            NotProved: `not-proved`, `unlinked`, `frozen` or `displaced`.
        """
        del now
        person = self._persons.person(link)
        if person is None:
            raise NotProved("还没有完成实名核验。", code="not-proved")
        if person.state is not PersonState.ACTIVE:
            raise NotProved("实名认证已解除或冻结。", code=person.state.value)
        return person.level

    def record(self, link: str, kind: str, subject: str, *, now: datetime) -> None:
        """Writes an act into the link's history.

        Raises:
            NotProved: the link does not count.
            ActRefused: `kind` or `subject`.
        """
        self.in_force(link, now=now)
        if kind not in _KINDS:
            raise ActRefused("没有这种记录。", code="kind")
        if not subject.strip():
            raise ActRefused("没有写明对象。", code="subject")
        self._acts.record(link, Act(kind=_KINDS[kind], subject=subject, at=now))
