"""What the commands that check files have in common: options, times, files, and a sentence for wrong usage."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from verify_api.validation.errors import FileUnreadable, ValidationRoomError
from verify_api.validation.sandbox import Limits


class UsageError(ValidationRoomError):
    """The command line is wrong; the message is the sentence to print."""

    code = "usage"


class SentenceParser(argparse.ArgumentParser):
    """A parser that tells wrong usage as a sentence and leaves the process running."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"用法不对：{message}")


def add_checking_options(parser: argparse.ArgumentParser) -> None:
    """Add FILE…, --trust, --crl, --at and --json."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="要验证的文件")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="PEM", help="信任列表，代替本服务自己的"
    )
    parser.add_argument("--crl", action="append", default=[], metavar="FILE", help="证书吊销列表，PEM 或 DER")
    parser.add_argument("--at", metavar="TIME", help="按哪个时刻验证，ISO 8601；不写时区则为 UTC")
    parser.add_argument("--json", action="store_true", help="输出 JSON")


def moment(text: str) -> datetime:
    """Read a time, ISO 8601; without a zone it is UTC.

    Raises:
        UsageError: It is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"时间写法不对：{text}，例如 2026-01-31T08:00:00Z") from error
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def read_file(path: Path) -> bytes:
    """Read a file that the user named, and no more of it than a file may have.

    Raises:
        FileUnreadable: It cannot be read, or is larger than any file that is validated.
    """
    largest = Limits().file_bytes
    try:
        with path.open("rb") as opened:
            content = opened.read(largest + 1)
    except OSError as error:
        raise FileUnreadable(f"读不到文件 {path}：{error.strerror or error}") from error
    except ValueError as error:
        raise FileUnreadable("文件名不合法") from error
    if len(content) > largest:
        raise FileUnreadable(f"文件 {path} 超过 {largest // 2**20} MiB，不予读取")
    return content
