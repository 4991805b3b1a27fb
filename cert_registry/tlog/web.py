"""``/log/…``: the log's public files, as C2SP tlog-tiles serves them.

Any web server may serve the directory instead (without ``.state``). Tiles beyond the checkpoint are not given out:
what a crash left there may still change.
"""

import re
from pathlib import Path

from flask import Blueprint, Response, abort

from cert_registry.tlog.checkpoint import parse_decimal
from cert_registry.tlog.log import Log
from cert_registry.tlog.tiles import TILE_WIDTH, tile_path, tile_width

TILE = re.compile(r"(entries|[0-5])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
IMMUTABLE = "public, max-age=31536000, immutable"


def create_blueprint(log: Log, directory: Path) -> Blueprint:
    """Serve ``log``, whose files lie in ``directory``."""
    blueprint = Blueprint("tlog", __name__, url_prefix="/log")

    @blueprint.get("/checkpoint")
    def checkpoint() -> Response:
        return _answer(log.checkpoint(), "text/plain; charset=utf-8", "no-cache")

    @blueprint.get("/vkey")
    def vkey() -> Response:
        return _answer(f"{log.vkey}\n".encode(), "text/plain; charset=utf-8", "no-cache")

    @blueprint.get("/tile/<path:place>")
    def tile(place: str) -> Response:
        path = _published_tile(place, log.newest().size)
        try:
            content = (directory / path).read_bytes()
        except FileNotFoundError:
            abort(404)
        return _answer(content, "application/octet-stream", IMMUTABLE)

    return blueprint


def _published_tile(place: str, size: int) -> str:
    """Path of a tile that the published tree covers; 404 for anything else."""
    match = TILE.fullmatch(place)
    if match is None:
        abort(404)
    kind, digits, partial = match.groups()
    number = int(digits.replace("x", "").replace("/", ""))
    width = parse_decimal(partial) if partial else TILE_WIDTH
    level = 0 if kind == "entries" else int(kind)
    if (partial and width >= TILE_WIDTH) or width > tile_width(size, level, number):
        abort(404)
    path = tile_path(kind, number, width)
    if path != f"tile/{place}":
        abort(404)
    return path


def _answer(content: bytes, content_type: str, caching: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = caching
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
