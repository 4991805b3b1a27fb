"""A time-stamp authority behind HTTP: another host of ours, or a licensed service.

Source: RFC 3161 section 3.4 (media types).
"""

from datetime import datetime

import requests

from cert_registry.signing.errors import TimeStampUnavailable

_TIMEOUT_S = 10.0
_MOST_BYTES = 64 * 1024
_REQUEST, _RESPONSE = "application/timestamp-query", "application/timestamp-reply"


class HttpTimeStampSource:
    """Asks one address; what it answers is checked by whoever uses the stamp.

    Args:
        url: The authority's address.
        timeout_s: For connecting, and between bytes.
    """

    def __init__(self, url: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def respond(self, request_der: bytes, *, now: datetime) -> bytes:
        """Return the TimeStampResp (DER) for a TimeStampReq (DER); the authority has its own clock.

        Raises:
            TimeStampUnavailable: It cannot be reached, or answers something else than a stamp or a refusal.
        """
        del now
        try:
            answer = requests.post(
                self._url,
                data=request_der,
                headers={"Content-Type": _REQUEST, "Accept": _RESPONSE},
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            )
            with answer:
                kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                content = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
        except (requests.RequestException, OSError) as error:
            raise TimeStampUnavailable("The time-stamp authority cannot be reached.") from error
        if answer.status_code != 200 or kind != _RESPONSE or len(content) > _MOST_BYTES:
            raise TimeStampUnavailable(
                f"The time-stamp authority answered {answer.status_code} instead of a stamp."
            )
        return bytes(content)
