"""Resolves a person's access token to the registry's holder reference, in process."""

from datetime import datetime

from idp.identity.access_token import AccessTokenVerifier
from idp.identity.errors import NotProved
from idp.identity.resolution import ResolvedHolder
from idp.store.persons import PersonState, PersonStore


class InProcessHolderResolver:
    """A `HolderResolver` beside the store."""

    def __init__(self, verifier: AccessTokenVerifier, persons: PersonStore, *, audience: str) -> None:
        self._verifier = verifier
        self._persons = persons
        self._audience = audience

    def resolve(self, access_token: str, *, now: datetime) -> ResolvedHolder:
        """The holder behind a token, from the store and not from the token: unlinking counts at once.

        Raises:
            NotProved: `not-proved`, `unlinked` or `frozen`.
            AccessTokenRefused: the token is not acceptable.
        """
        caller = self._verifier.verify(access_token, audience=self._audience, now=now)
        person = self._persons.person(caller.realname_ref) if caller.realname_ref else None
        if person is None:
            raise NotProved("还没有完成实名核验。", code="not-proved")
        if person.state is not PersonState.ACTIVE:
            raise NotProved("实名认证已解除或冻结。", code=person.state.value)
        return ResolvedHolder(
            holder_reference=person.holder_reference,
            level=person.level,
            verified_at=person.verified_at,
            name=person.name,
            link=person.realname_ref,
        )
