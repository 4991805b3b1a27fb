"""`/status-lists/{n}`: the public status channel; any cache may stand before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, Response, abort

from cert_registry.issuance_press import status_list_uri
from cert_registry.status_list import MEDIA_TYPE, TIME_TO_LIVE, sign_list
from cert_registry.store.ecerts import SqlEcerts
from cert_registry.store.status_entries import LIST_LENGTH


def create_status_lists(
    ecerts: SqlEcerts,
    *,
    public_url: str,
    x5c: Sequence[bytes],
    sign: Callable[[bytes], bytes],
    clock: Callable[[], datetime],
) -> Blueprint:
    """Return the blueprint, to be mounted at the root.

    Args:
        ecerts: Where states are read.
        public_url: Address of the service.
        x5c: Chain of the signing key.
        sign: ES256, r ‖ s.
        clock: Now, UTC.
    """
    lists = Blueprint("status_lists", __name__)

    @lists.get("/status-lists/<int:number>")
    def status_list(number: int) -> Response:
        states = ecerts.status_values(number)
        if not states:
            abort(404)
        token = sign_list(
            states,
            uri=status_list_uri(public_url, number),
            length=LIST_LENGTH,
            x5c=x5c,
            sign=sign,
            now=clock(),
        )
        response = Response(token, mimetype=MEDIA_TYPE)
        response.headers["Cache-Control"] = f"public, max-age={int(TIME_TO_LIVE.total_seconds())}"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return lists
