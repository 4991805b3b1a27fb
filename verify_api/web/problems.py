"""The verify room's errors as RFC 9457 problem details: one row a leaf; the unlisted is a 500 without detail."""

from __future__ import annotations

from verify_api import errors

PROBLEMS: dict[type[errors.CheckError], tuple[int, str]] = {
    errors.QuestionRefused: (400, "问题不完整或格式不对"),
    errors.DocumentTooLarge: (413, "文件太大"),
    errors.QrRefused: (400, "二维码不能识别"),
    errors.NotEntitled: (403, "没有查验这类证照的权限"),
    errors.ProbingSuspected: (429, "比对不一致的次数太多"),
    errors.TooManyQuestions: (429, "查询太频繁"),
    errors.PartUnavailable: (503, "服务暂时不可用"),
}
