"""Makes ``stock-food.csv``: 300 rows of invented food licences with known faults, and what must become of them.

Run ``var/venv/bin/python -m deploy.demo.make_stock`` from the checkout; the same seed gives the same bytes.
Everything is invented: places, enterprises, people, numbers.
"""

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from cert_registry.catalog.certificate_type import check_digit
from cert_registry.civil_date import Period, PeriodUnit, last_day
from idp.identity.credit_code import check_character, organisation_check

HERE = Path(__file__).parent
SEED = 20261122
HEADER = (
    "许可证编号",
    "经营者名称",
    "统一社会信用代码",
    "法定代表人（负责人）",
    "住所",
    "经营场所",
    "主体业态",
    "经营项目",
    "有效期自",
    "有效期至",
    "发证日期",
    "发证机关",
    "发证机关代码",
    "备注",
)
NUMBER, NAME, CODE, PREMISES, FORM = 0, 1, 2, 5, 6
FROM, UNTIL, ISSUED = 8, 9, 10
ISSUERS = (
    ("990100", "示例市", "示例市市场监督管理局", "119901000000002037"),
    ("990121", "示例县", "示例县市场监督管理局", "1199012100000030XT"),
)
FORMS = ("食品销售经营者", "餐饮服务经营者", "集中用餐单位食堂")
ITEMS = {
    "食品销售经营者": ("预包装食品销售", "散装食品销售", "特殊食品销售（保健食品）"),
    "餐饮服务经营者": ("热食类食品制售", "冷食类食品制售", "自制饮品制售", "糕点类食品制售"),
    "集中用餐单位食堂": ("热食类食品制售", "冷食类食品制售"),
}
WORDS_1 = "春夏秋冬青红金银东南西北长明和福"
WORDS_2 = "风雨云月山河湖海田园桥泉竹松梅兰"
TRADES = {
    "食品销售经营者": ("粮油有限公司", "食品商行", "生鲜超市"),
    "餐饮服务经营者": ("餐饮有限公司", "面馆", "小吃店"),
    "集中用餐单位食堂": ("学校食堂", "幼儿园食堂"),
}
SURNAMES = "张王李赵刘陈杨黄周吴"
GIVEN = ("平安", "思远", "文博", "若水", "子墨", "雨桐", "嘉禾", "清扬", "明轩", "佳音")
STREETS = ("和平路", "解放街", "建设路", "滨河路", "学府街")

Row = list[str]
FIVE_YEARS = Period(count=5, unit=PeriodUnit.YEAR)
GOOD, DUPLICATES, CONFLICTING = 268, 12, 2


def written(day: date, style: int) -> str:
    """One day in one of the ways that sources write it."""
    return (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        day.strftime("%Y%m%d"),
    )[style % 4]


def credit_code(number: int, area: str, kind: str) -> str:
    """An invented unified social credit code whose two checks hold."""
    organisation = f"D{number:07d}"
    first_17 = f"{kind}{area}{organisation}{organisation_check(organisation)}"
    return first_17 + check_character(first_17)


def good_row(number: int, chance: random.Random) -> Row:
    """One sound row."""
    area, place, issuer, issuer_code = ISSUERS[number % 3 == 0]
    form = chance.choices(FORMS, weights=(4, 5, 1))[0]
    trade = chance.choice(TRADES[form])
    name = f"{place}{chance.choice(WORDS_1)}{chance.choice(WORDS_2)}{trade}"
    head = f"JY{FORMS.index(form) + 1}{area}{500000 + number:06d}"
    address = f"{place}{chance.choice(STREETS)}{chance.randint(1, 300)}号"
    issued = date(2022, 1, 4) + timedelta(days=chance.randrange(1500))
    items = "；".join(chance.sample(ITEMS[form], chance.randint(1, 2)))
    return [
        head + check_digit(head),
        name,
        credit_code(number, area, "91" if "公司" in trade else "92"),
        chance.choice(SURNAMES) + chance.choice(GIVEN),
        address,
        address if chance.random() < 0.6 else f"{address}附{chance.randint(1, 9)}号",
        form,
        items,
        written(issued, number),
        written(date.fromisoformat(str(last_day(FIVE_YEARS, effective=issued))), number),
        written(issued, number),
        issuer,
        issuer_code,
        "样例",
    ]


def wrong_last(text: str, alphabet: str) -> str:
    """The same text with another last character."""
    return text[:-1] + alphabet[(alphabet.index(text[-1]) + 1) % len(alphabet)]


def replaced(place: int, value: Callable[[Row], str]) -> Callable[[Row], Row]:
    """A fault that writes something else into one cell."""

    def break_row(row: Row) -> Row:
        return [value(row) if index == place else cell for index, cell in enumerate(row)]

    return break_row


CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
FAULTS: tuple[tuple[str, int, Callable[[Row], Row]], ...] = (
    ("credit-code", 4, replaced(CODE, lambda row: wrong_last(row[CODE], CREDIT_ALPHABET))),
    ("credit-code", 1, replaced(CODE, lambda row: row[CODE][:-1])),
    ("check-character", 4, replaced(NUMBER, lambda row: wrong_last(row[NUMBER], "0123456789"))),
    ("missing-field:operator_name", 3, replaced(NAME, lambda _: "  ")),
    ("missing-field:premises", 1, replaced(PREMISES, lambda _: "")),
    ("date-order", 2, replaced(UNTIL, lambda _: "2019-12-31")),
    ("bad-date", 1, replaced(FROM, lambda _: "2023-02-30")),
    ("row-shape", 1, lambda row: row[:-2]),
    ("face", 1, replaced(FORM, lambda _: "流动摊贩")),
)


def build() -> tuple[list[Row], dict[str, object]]:
    """The rows in their order, and what must become of them when the registry holds none of them yet."""
    chance = random.Random(SEED)  # noqa: S311 - invented data, the same each time
    good = [good_row(number, chance) for number in range(1, GOOD + 1)]
    rows: list[tuple[Row, str]] = [(row, "") for row in good]
    number = GOOD
    for reason, count, break_row in FAULTS:
        for _ in range(count):
            number += 1
            rows.insert(chance.randrange(len(rows)), (break_row(good_row(number, chance)), reason))
    rows += [(row, "same-row-again") for row in chance.sample(good, DUPLICATES)]
    move_upstairs = replaced(PREMISES, lambda row: row[PREMISES] + "二楼")
    rows += [(move_upstairs(row), "other-content") for row in chance.sample(good, CONFLICTING)]
    reasons = Counter(reason for _, reason in rows if reason)
    refused = sum(count for _, count, _ in FAULTS)
    expected: dict[str, object] = {
        "rows": len(rows),
        "outcomes": {
            "registered": GOOD,
            "duplicate": DUPLICATES,
            "conflicting": CONFLICTING,
            "refused": refused,
        },
        "reasons": dict(sorted(reasons.items())),
        "ignored_columns": ["备注"],
        "lines": {str(line): reason for line, (_, reason) in enumerate(rows, start=2) if reason},
    }
    return [row for row, _ in rows], expected


def main() -> None:
    """Write both files beside this one."""
    rows, expected = build()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([HEADER, *rows])
    (HERE / "stock-food.csv").write_bytes(text.getvalue().encode("utf-8-sig"))
    document = json.dumps(expected, ensure_ascii=False, indent=2) + "\n"
    (HERE / "stock-food.expected.json").write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
