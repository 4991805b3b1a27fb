"""`./longzheng eseal export SEAL_ID --out FILE`: the e-seal of a seal in use, for those who run the service.

Exit codes: 0 done, 1 the seal is not in use, 2 bad usage or an unknown seal, 3 a part is unavailable.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cert_registry.errors import RegistryError
from cert_registry.eseal.errors import EsealUnavailable
from cert_registry.seals.errors import UnknownSeal
from cert_registry.signing.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cert_registry.composition import RegistryRooms

DONE, REFUSED, BAD_INPUT, UNAVAILABLE = range(4)


def main(argv: list[str], *, open_rooms: Callable[[], RegistryRooms] | None = None) -> int:
    """Run the command; returns the exit code.

    Args:
        argv: Arguments behind `eseal export`.
        open_rooms: How the rooms are wired; by default `cert_registry.composition.open_registry`.
    """
    parser = argparse.ArgumentParser(
        prog="longzheng eseal export", description="导出在用印章的电子印章数据。"
    )
    parser.add_argument("seal", metavar="SEAL_ID", help="印章编号")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="写到哪个文件")
    options = parser.parse_args(argv)
    try:
        opened = open_rooms or importlib.import_module("cert_registry.composition").open_registry
        made = opened().eseals.eseal(options.seal, now=datetime.now(UTC))
        options.out.write_bytes(made)
    except EsealUnavailable as error:
        return _fail(REFUSED, str(error))
    except UnknownSeal as error:
        return _fail(BAD_INPUT, str(error))
    except OSError as error:
        return _fail(BAD_INPUT, f"写不了文件 {options.out}：{error.strerror or error}")
    except (RegistryError, SigningError) as error:
        return _fail(UNAVAILABLE, str(error))
    sys.stdout.write(f"{options.out}\n")
    return DONE


def _fail(code: int, sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code
