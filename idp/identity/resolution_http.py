"""Resolves a person over HTTP, where `idp/` runs on another host."""

from datetime import datetime
from typing import Final

import requests

from idp.identity.assurance import RealnameLevel
from idp.identity.errors import AccessTokenRefused, NotProved, ResolverUnavailable
from idp.identity.holder import parse_holder_reference
from idp.identity.resolution import ResolvedHolder

_TIMEOUT_S: Final = 5.0


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
                    link=str(answer["link"]),
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
