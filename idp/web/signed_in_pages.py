"""What the pages behind a sign-in have in common: cookie, CSRF token, callback, sign-out, back-channel logout."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, g, redirect, render_template, request
from werkzeug import Response

from idp.errors import InteractionLost, SignInRefused
from idp.identity.errors import AccessTokenRefused, IdentityError
from idp.keycloak.sign_in import KeycloakSignIn
from idp.store.web_sessions import LONGEST_S, WebSession
from idp.web.visitor import Visitor


class SignedInPages:
    """Guards views of one client below one path.

    Args:
        name: of the endpoints and of the cookie.
        path: below `/idp`, such as `/counter`.
        asked: request parameters of every sign-in.
    """

    def __init__(
        self,
        sign_in: KeycloakSignIn,
        *,
        visitor: Visitor,
        name: str,
        path: str,
        asked: Mapping[str, str] | None = None,
    ) -> None:
        self._sign_in = sign_in
        self._visitor = visitor
        self._name = name
        self._path = path
        self._cookie = f"lz_idp_{name}"
        self._asked = dict(asked or {})

    def add_to(self, blueprint: Blueprint) -> None:
        """Adds callback, sign-out and back-channel logout."""
        for rule, view, method in (
            ("callback", self._callback, "GET"),
            ("sign-out", self._sign_out, "POST"),
            ("backchannel-logout", self._notice, "POST"),
        ):
            endpoint = f"{self._name}_{rule.replace('-', '_')}"
            blueprint.add_url_rule(f"{self._path}/auth/{rule}", endpoint, view, methods=[method])

    def guard(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Lets only a signed-in browser reach a view, and only forms of our own pages."""

        @wraps(view)
        def guarded(**arguments: Any) -> Any:
            session = self._sign_in.session(request.cookies.get(self._cookie))
            if session is None:
                return self.ask(request.full_path if request.method == "GET" else f"/idp{self._path}/")
            g.session = session
            g.token = self._visitor.csrf_token(session.mark)
            if request.method == "POST" and not self._visitor.sent_by_our_form(request, session.mark):
                raise InteractionLost("表单不是由本页面提交的。", code="csrf")
            return view(**arguments)

        return guarded

    def ask(self, return_to: str, **asked: str) -> Response:
        """The redirect that signs in and comes back."""
        begun = self._sign_in.begin(return_to, **(self._asked | asked))
        response = redirect(begun.address, 303)
        self._remember(response, begun.handle)
        return response

    def keep(self, **changes: Any) -> None:
        """Changes what the session of this request holds."""
        session: WebSession = g.session
        self._sign_in.keep(session, **changes)

    def page(self, template: str, **values: Any) -> str:
        """A page for whoever is signed in."""
        return render_template(
            template,
            who=g.session.content.get("shown_name", ""),
            note=g.session.content.get("note", ""),
            sign_out_url=f"/idp{self._path}/auth/sign-out",
            token=g.token,
            **values,
        )

    def _callback(self) -> Any:
        try:
            opened = self._sign_in.finish(request.args.to_dict(), request.cookies.get(self._cookie))
        except (SignInRefused, AccessTokenRefused) as error:
            return stopped("登录没有完成", str(error)), 403
        response = redirect(_own_path(opened.return_to, otherwise=f"/idp{self._path}/"), 303)
        self._remember(response, opened.handle)
        return response

    def _sign_out(self) -> Response:
        session = self._sign_in.session(request.cookies.get(self._cookie))
        if session is not None and not self._visitor.sent_by_our_form(request, session.mark):
            raise InteractionLost("表单不是由本页面提交的。", code="csrf")
        response = redirect(self._sign_in.end(request.cookies.get(self._cookie)), 303)
        response.delete_cookie(self._cookie, path=f"/idp{self._path}")
        return response

    def _notice(self) -> Any:
        try:
            self._sign_in.end_by_notice(request.form.get("logout_token", ""))
        except IdentityError as error:
            return {"error": "invalid_request", "error_description": error.code}, 400
        return "", 200

    def _remember(self, response: Response, handle: str) -> None:
        response.set_cookie(
            self._cookie,
            handle,
            max_age=LONGEST_S,
            path=f"/idp{self._path}",
            httponly=True,
            samesite="Lax",
            secure=self._visitor.secure,
        )


def stopped(title: str, said: str, *, next_step: str = "") -> str:
    """A page that says why it does not go on."""
    return render_template(
        "idp/stopped.html", title=title, said=said, next_step=next_step or "请回到首页重新开始。"
    )


def _own_path(path: str, *, otherwise: str) -> str:
    parts = urlsplit(path)
    own = path.startswith("/idp/") and not parts.scheme and not parts.netloc and "\\" not in path
    return path if own else otherwise
