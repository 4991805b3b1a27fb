"""What is wrong with a request's body, field by field, in sentences; never a value."""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

_SENTENCES: Final = {
    "missing": "必须填写。",
    "extra_forbidden": "接口没有这一项。",
    "string_too_long": "过长。",
    "string_too_short": "过短。",
    "string_pattern_mismatch": "格式不对。",
    "json_invalid": "不是有效的 JSON。",
    "literal_error": "不在可选值之内。",
    "date_from_datetime_parsing": "应为 2026-01-31 形式的日期。",
    "date_parsing": "应为 2026-01-31 形式的日期。",
}


def faults_of(error: ValidationError) -> list[tuple[str, str]]:
    """Return the path of each wrong field with its sentence."""
    return [
        ("/".join(str(part) for part in fault["loc"]), _sentence(fault["type"], fault["msg"]))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def _sentence(kind: str, message: str) -> str:
    if kind == "value_error":  # a sentence of our own schemas
        return message.removeprefix("Value error, ")
    return _SENTENCES.get(kind, "不符合要求。")
