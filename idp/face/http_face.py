"""A `FaceCheck` at a provider that speaks the messages of `idp.face.messages` over HTTP."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from idp.errors import ConfigurationError, FaceRefused, FaceUnavailable
from idp.face.messages import PROVIDER, RESULTS, SAME_PERSON, open_sealed, seal
from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.ports import FaceStart
from idp.secret_files import read_secret
from idp.settings import FaceSettings

_TIMEOUT_S: Final = 10.0
_SENTENCES = {
    "different-person": "镜头前的人与身份证照片不是同一人。",
    "not-live": "没有通过活体检测，请在光线充足处由本人重新刷脸。",
    "not-finished": "刷脸没有完成。",
}


class HttpFaceCheck:
    """Asks a provider; its answers are believed by their signature, not by the connection."""

    def __init__(self, settings: FaceSettings) -> None:
        self._settings = settings
        self._key = load_key(settings.key_file)
        self._provider_key = load_key(settings.provider_key_file)

    def begin(
        self, number: CitizenNumber, name: NormalisedName, *, nonce: str, return_url: str, now: datetime
    ) -> FaceStart:
        """Opens a check.

        Raises:
            FaceUnavailable: no answer can be had.
            FaceRefused: `no-photo`, `answer`.
        """
        asked = {"name": name.name_key, "number": number.number, "nonce": nonce, "return_url": return_url}
        answer = self._ask("checks", asked, now)
        return FaceStart(check_id=str(answer["check_id"]), page_url=str(answer["page_url"]))

    def confirm(self, check_id: str, *, nonce: str, now: datetime) -> None:
        """Returns when the signed answer says: live, and this person, for this nonce.

        Raises:
            FaceRefused: `different-person`, `not-live`, `not-finished` or `answer`.
            FaceUnavailable: no answer can be had.
        """
        answer = self._ask(f"checks/{quote(check_id, safe='')}/result", {"check_id": check_id}, now)
        same_check = answer.get("check_id") == check_id
        same_nonce = hmac.compare_digest(str(answer.get("nonce", "")).encode(), nonce.encode())
        result = answer.get("result")
        if not same_check or not same_nonce or result not in RESULTS:
            raise FaceRefused("刷脸核验服务的答复不是给这次核验的。", code="answer")
        if result != SAME_PERSON:
            raise FaceRefused(_SENTENCES[str(result)], code=str(result))

    def _ask(self, path: str, claims: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        client_id = self._settings.client_id
        message = seal(claims, issuer=client_id, audience=PROVIDER, key=self._key, now=now)
        try:
            response = requests.post(
                f"{self._settings.url}/{path}",
                json={"request": message},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            body = response.json()
        except (requests.RequestException, ValueError) as error:
            raise FaceUnavailable("刷脸核验服务暂时不能应答。", code="face-unavailable") from error
        if response.status_code == 422 and isinstance(body, dict) and body.get("error") == "no-photo":
            raise FaceRefused("照片库中没有您的照片，请到政务服务窗口核验。", code="no-photo")
        if response.status_code not in {200, 201} or not isinstance(body, dict):
            raise FaceUnavailable("刷脸核验服务暂时不能应答。", code="face-unavailable")
        return open_sealed(
            body.get("answer"), issuer=PROVIDER, audience=client_id, key=self._provider_key, now=now
        )


def load_key(path: Path) -> ECKey:
    """A P-256 key of a PEM file.

    Raises:
        ConfigurationError: it holds none.
    """
    try:
        key = ECKey.import_key(read_secret(path))
    except (JoseError, ValueError) as error:
        raise ConfigurationError(f"{path} holds no EC key: remove it, run ./longzheng up.") from error
    if key.curve_name != "P-256":
        raise ConfigurationError(f"{path} is not a P-256 key: remove it and run ./longzheng up.")
    return key
