"""Where a person sees that a site asks for the ID number, and why; and where the site then fetches it.

Source of the endpoint's errors: RFC 6750 section 3, RFC 9449 section 7.1, RFC 9457.
"""

import re
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, request

from idp.identity.dpop import Call
from idp.identity.errors import (
    AccessTokenRefused,
    DpopProofRefused,
    IdentityError,
    KeysUnavailable,
    NumberRefused,
)
from idp.number_release import LONGEST_CASE, NumberDesk, Question, release
from idp.number_rights import NumberRight
from idp.provider.claims import iso_time
from idp.store.persons import PersonState
from idp.web.problems import problem
from idp.web.service import Service
from idp.web.signed_in_pages import SignedInPages, stopped

_CASE = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_CASE}}}")
_STATE = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class NumberPages:
    """The person's page, and the site's endpoint."""

    def __init__(self, service: Service, frame: SignedInPages, desk: NumberDesk) -> None:
        self._service = service
        self._frame = frame
        self._desk = desk

    def add_to(self, blueprint: Blueprint) -> None:
        """Adds both to the blueprint."""
        page = self._frame.guard(self.page)
        blueprint.add_url_rule("/account/number", "account_number", page, methods=["GET", "POST"])
        blueprint.add_url_rule("/v1/id-number", "id_number", self.endpoint, methods=["POST"])

    def page(self) -> Any:
        """Who asks, why, on what basis and what they get; the answer of the person leads back to the site."""
        asked = request.values
        site, purpose, case = asked.get("site", ""), asked.get("purpose", ""), asked.get("case", "")
        state = asked.get("state", "")
        right = self._desk.rights.of(site, purpose)
        if right is None or not _CASE.fullmatch(case) or not _STATE.fullmatch(state):
            return stopped(
                "不能提供身份证号码",
                "这个网站没有为此用途取得身份证号码的法律依据，或给出的参数不正确。",
                next_step="没有提供任何信息。请回到原来的网站。",
            ), 400
        content = g.session.content
        person = self._service.persons.person(str(content["realname_ref"]))
        if person is None or person.state is not PersonState.ACTIVE or not content.get("sid"):
            return self._frame.page("idp/account_over.html"), 403
        values = {"right": right, "purpose": purpose, "case": case, "state": state}
        if request.method == "GET":
            return self._frame.page("idp/number.html", **values)
        agrees = request.form.get("answer") == "agree"
        if agrees:
            self._desk.releases.agree(
                person.realname_ref,
                session_id=str(content["sid"]),
                site_id=site,
                purpose=purpose,
                case_number=case,
                now=self._service.clock(),
            )
        return self._frame.page(
            "idp/number_done.html", agrees=agrees, back=_back(right, state, agrees=agrees), **values
        )

    def endpoint(self) -> Response:
        """A site's question; the answer is for it alone and is kept nowhere on the way."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        proofs = request.headers.getlist("DPoP")
        try:
            if scheme.lower() != "dpop" or not token:
                raise AccessTokenRefused("请求没有带 DPoP 访问令牌。", code="missing")
            if len(proofs) != 1:
                raise DpopProofRefused("请求应当带一个持有证明。", code="malformed")
            address = f"{self._service.settings.issuer}/v1/id-number"
            question = Question(
                call=Call(method="POST", address=address, access_token=token),
                unverified_proof=proofs[0],
                unverified_person_token=request.form.get("person_token", ""),
                purpose=request.form.get("purpose", ""),
            )
            released = release(question, self._desk, now=self._service.clock())
        except IdentityError as error:
            return _problem(error)
        return jsonify(
            release_id=released.release_id,
            name=released.name,
            number=released.number,
            level=released.level.value,
            verified_at=iso_time(released.verified_at),
        )


def _back(right: NumberRight, state: str, *, agrees: bool) -> str:
    return f"{right.return_to}?{urlencode({'state': state, 'id_number': 'agreed' if agrees else 'refused'})}"


def _problem(error: IdentityError) -> Response:
    response = problem(error, {KeysUnavailable: 503, AccessTokenRefused: 401, NumberRefused: 403})
    if response.status_code == 401:
        word = "invalid_dpop_proof" if isinstance(error, DpopProofRefused) else "invalid_token"
        response.headers["WWW-Authenticate"] = f'DPoP error="{word}", algs="ES256"'
    return response
