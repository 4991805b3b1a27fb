"""Resolves a person's access token to the registry's holder reference, in process and over HTTP."""

from datetime import datetime
from typing import Final

import requests

from idp.identity.access_token import AccessTokenVerifier
from idp.identity.assurance import RealnameLevel
from idp.identity.errors import AccessTokenRefused, NotProved, ResolverUnavailable
from idp.identity.holder import parse_holder_reference
from idp.identity.resolution import ResolvedHolder
from idp.store.persons import PersonState, PersonStore

_TIMEOUT_S: Final = 5.0


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
        )


class HttpHolderResolver:
    """A `HolderResolver` that asks `POST /idp/v1/holder` on another host.

    Args:
        url: of that endpoint.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def resolve(self, access_token: str, *, now: datetime) -> ResolvedHolder:
        """The other side's answer.

        Raises:
            NotProved: 403.
            AccessTokenRefused: 401.
            ResolverUnavailable: no connection, or any other answer.
        """
        del now  # the other side has its own clock
        try:
            response = requests.post(
                self._url,
                headers={"Authorization": f"Bearer {access_token}"},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            answer = response.json()
            if response.status_code == 200:
                return ResolvedHolder(
                    holder_reference=parse_holder_reference(answer["holder_reference"]),
                    level=RealnameLevel(answer["level"]),
                    verified_at=datetime.fromisoformat(answer["verified_at"]),
                    name=answer["name"],
                )
            code, detail = str(answer["code"]), str(answer["detail"])
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise _unavailable() from error
        if response.status_code == 403:
            raise NotProved(detail, code=code)
        if response.status_code == 401:
            raise AccessTokenRefused(detail, code=code)
        raise _unavailable()


def _unavailable() -> ResolverUnavailable:
    return ResolverUnavailable("实名核验服务暂时不能应答。", code="resolver-unavailable")
