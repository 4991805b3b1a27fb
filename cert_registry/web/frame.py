"""What surrounds every room over HTTP: headers, errors, metrics, health."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from flask import Blueprint, Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from werkzeug.exceptions import HTTPException

from cert_registry.error_telling import told
from cert_registry.problems import problem_response

_LOGGER = logging.getLogger("longzheng")
_REQUESTS = Counter(
    "longzheng_http_requests_total", "Requests by endpoint and status.", ["endpoint", "status"]
)
_SECONDS = Histogram("longzheng_http_request_seconds", "Seconds to answer, by endpoint.", ["endpoint"])


def add_headers(application: Flask, *, keycloak: str) -> None:
    """Add the security headers of every answer; `keycloak` is the origin that forms may lead to."""
    # Chromium holds form-action against the redirects that follow a form too: signing out and the real-name
    # check both end at Keycloak.
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        f"connect-src 'self'; form-action 'self' {keycloak}; base-uri 'none'; frame-ancestors 'none'"
    )

    @application.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if not request.path.startswith(("/static/", "/log/", "/pki/", "/status-lists/", "/api/v1/openapi")):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def add_errors(application: Flask) -> None:
    """Tell every error as a page or as problem details (RFC 9457), never as a stack trace."""

    def wants_problem() -> bool:
        return request.path.startswith(("/api/", "/log/", "/pki/", "/status-lists/"))

    @application.errorhandler(CSRFError)
    def csrf(error: CSRFError) -> Response:
        del error
        sentence = "这个页面开得太久，或者不是从本站提交的。请返回上一页，刷新后再提交。"
        return make_response(render_template("sorry.html", sentence=sentence), 400)

    @application.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        sentences = {404: "没有这个页面。", 405: "不能这样访问这个地址。", 413: "提交的内容太大。"}
        sentence = sentences.get(status, "请求没有办成，请返回上一页重试。")
        if wants_problem():
            return problem_response(status=status, code=f"http-{status}", title=sentence, detail=sentence)
        return make_response(render_template("sorry.html", sentence=sentence), status)

    @application.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The type and the frames, without the message, which may hold what a person typed.
        _LOGGER.error("unexpected at %s: %s", request.endpoint, told(error))
        sentence = "服务出了问题，已经记录。请稍后再试。"
        if wants_problem():
            return problem_response(status=500, code="internal", title="服务内部错误", detail=sentence)
        return make_response(render_template("sorry.html", sentence=sentence), 500)


def add_metrics(application: Flask) -> None:
    """Count and time every request."""

    @application.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @application.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        _REQUESTS.labels(endpoint=endpoint, status=str(response.status_code)).inc()
        if "started" in g:
            _SECONDS.labels(endpoint=endpoint).observe(time.perf_counter() - g.started)
        return response


def add_operations(application: Flask, probes: Mapping[str, Callable[[], object]], csrf: CSRFProtect) -> None:
    """Add `/healthz`, `/readyz` (every probe) and `/metrics`."""
    operations = Blueprint("operations", __name__)

    @operations.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "up"})

    @operations.get("/readyz")
    def readyz() -> Response:
        parts: dict[str, str] = {}
        for name, probe in probes.items():
            try:
                probe()
            except Exception as error:  # noqa: BLE001 - whatever a part raises, it is not ready
                parts[name] = f"down ({type(error).__name__})"
            else:
                parts[name] = "up"
        ready = all(state == "up" for name, state in parts.items() if name != "idp.population_register")
        return make_response(
            jsonify({"status": "ready" if ready else "not-ready", "parts": parts}), 200 if ready else 503
        )

    @operations.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    csrf.exempt(operations)
    application.register_blueprint(operations)
