"""The embedded face-check provider of a demonstration: the real messages, an invented camera.

Where a camera would be, its page asks who stands before it; then it compares, as a provider would, whoever was chosen
with whom the check was opened for. It shares nothing with the room but the protocol: its own key, its own memory.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from flask import Blueprint, abort, jsonify, redirect, render_template, request
from joserfc.jwk import ECKey

from idp.errors import ConfigurationError, FaceRefused
from idp.face.messages import PROVIDER, SAME_PERSON, open_sealed, seal
from idp.identity.person_name import normalise_name

_LIFE = timedelta(minutes=15)
PHOTOGRAPH: Final = "photograph"


@dataclass(slots=True, kw_only=True)
class _Check:
    name: str
    number: str
    nonce: str
    return_url: str
    ends_at: datetime
    result: str = "not-finished"


class FaceSimulator:
    """Checks in memory, one process; lost when it ends, as the person then simply begins again.

    Args:
        key: signs answers.
        client_id: the one client.
        client_key: its public key.
        people: names and numbers whose photographs are held.
    """

    def __init__(
        self,
        *,
        key: ECKey,
        client_id: str,
        client_key: ECKey,
        people: dict[str, str],
        page_url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._key = key
        self._client_id = client_id
        self._client_key = client_key
        self._people = people
        self._page_url = page_url
        self._clock = clock
        self._checks: dict[str, _Check] = {}
        self._used: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def blueprint(self) -> Blueprint:
        """Interface and page under `/idp/simulator/face`."""
        pages = Blueprint(
            "face_simulator", __name__, url_prefix="/idp/simulator/face", template_folder="../web/templates"
        )
        pages.add_url_rule("/checks", "open", self._open, methods=["POST"])
        pages.add_url_rule("/checks/<check_id>/result", "result", self._result, methods=["POST"])
        pages.add_url_rule("/camera/<check_id>", "camera", self._camera, methods=["GET", "POST"])
        return pages

    def _open(self) -> Any:
        claims = self._claims()
        if self._people.get(str(claims.get("number"))) != claims.get("name"):
            return jsonify(error="no-photo"), 422
        check_id = secrets.token_urlsafe(24)
        with self._lock:
            self._forget()
            self._checks[check_id] = _Check(
                name=str(claims["name"]),
                number=str(claims["number"]),
                nonce=str(claims["nonce"]),
                return_url=str(claims["return_url"]),
                ends_at=self._clock() + _LIFE,
            )
        return self._answer({"check_id": check_id, "page_url": f"{self._page_url}/{check_id}"}), 201

    def _result(self, check_id: str) -> Any:
        claims = self._claims()
        with self._lock:
            check = self._checks.get(check_id)
            if check is None or claims.get("check_id") != check_id:
                return jsonify(error="unknown-check"), 404
            if check.result != "not-finished":
                del self._checks[check_id]  # an answer is given once
        return self._answer({"check_id": check_id, "nonce": check.nonce, "result": check.result})

    def _camera(self, check_id: str) -> Any:
        with self._lock:
            self._forget()
            check = self._checks.get(check_id)
            if check is None:
                abort(404)
            if request.method == "POST" and check.result == "not-finished":
                before_camera = request.form.get("before_camera", "")
                if before_camera == PHOTOGRAPH:
                    check.result = "not-live"
                elif dict(self._faces()).get(before_camera) == check.number:
                    check.result = SAME_PERSON
                else:
                    check.result = "different-person"
                return redirect(check.return_url, 303)
        choices = [(code, self._people[number]) for code, number in self._faces()]
        return render_template("idp/face_simulator.html", choices=choices, photograph=PHOTOGRAPH)

    def _faces(self) -> list[tuple[str, str]]:
        """Codes of the page's choices, with whose number each stands for."""
        return [(str(place), number) for place, number in enumerate(sorted(self._people), start=1)]

    def _claims(self) -> Any:
        body = request.get_json(silent=True)
        message = body.get("request") if isinstance(body, dict) else None
        now = self._clock()
        try:
            claims = open_sealed(
                message, issuer=self._client_id, audience=PROVIDER, key=self._client_key, now=now
            )
        except FaceRefused:
            abort(401)
        with self._lock:
            self._used = {used: ends for used, ends in self._used.items() if ends > now}
            if claims["jti"] in self._used:
                abort(401)
            self._used[str(claims["jti"])] = now + timedelta(minutes=2)
        return claims

    def _answer(self, claims: dict[str, str]) -> Any:
        return jsonify(
            answer=seal(claims, issuer=PROVIDER, audience=self._client_id, key=self._key, now=self._clock())
        )

    def _forget(self) -> None:
        now = self._clock()
        self._checks = {name: check for name, check in self._checks.items() if check.ends_at > now}


def people_of(path: Path) -> dict[str, str]:
    """Numbers and names whose photographs the simulator holds: the demonstration's people.

    Raises:
        ConfigurationError: the file is missing or of another shape.
    """
    try:
        people = yaml.safe_load(path.read_text(encoding="utf-8"))["people"]
        return {str(one["number"]): normalise_name(str(one["name"])).name_key for one in people}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} holds no list of people with name and number.") from error
