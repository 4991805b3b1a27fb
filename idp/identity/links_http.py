"""Asks about links over HTTP, where `idp/` runs on another host."""

from datetime import datetime
from typing import Any, Final

import requests

from idp.identity.assurance import RealnameLevel
from idp.identity.errors import NotProved, ResolverUnavailable

_TIMEOUT_S: Final = 5.0


class HttpLinks:
    """A `Links` that asks `POST /idp/v1/link` on another host.

    Args:
        url: of that endpoint.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def in_force(self, link: str, *, now: datetime) -> RealnameLevel:
        """The other side's answer.

        Raises:
            NotProved: 403.
            ResolverUnavailable: no connection, or any other answer.
        """
        del now  # the other side has its own clock
        answer = self._ask(self._url, link, None)
        try:
            return RealnameLevel(answer["level"])
        except (KeyError, ValueError) as error:
            raise _unavailable() from error

    def record(self, link: str, kind: str, subject: str, *, now: datetime) -> None:
        """Hands an act over.

        Raises:
            NotProved: 403.
            ResolverUnavailable: no connection, or any other answer.
        """
        del now
        self._ask(f"{self._url}/acts", link, {"kind": kind, "subject": subject})

    def _ask(self, url: str, link: str, body: dict[str, str] | None) -> dict[str, Any]:
        try:
            response = requests.post(
                url,
                json=body,
                headers={"Authorization": f"Bearer {link}"},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            answer = response.json()
        except (requests.RequestException, ValueError) as error:
            raise _unavailable() from error
        if response.status_code == 403 and isinstance(answer, dict):
            raise NotProved(str(answer.get("detail", "")), code=str(answer.get("code", "not-proved")))
        if response.status_code != 200 or not isinstance(answer, dict):
            raise _unavailable()
        return dict(answer)


def _unavailable() -> ResolverUnavailable:
    return ResolverUnavailable("实名核验服务暂时不能应答。", code="resolver-unavailable")
