"""Numbers, codes, names: the standards' vectors, and properties for all others."""

import contextlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.errors import MalformedMobile
from idp.identity import citizen_number, credit_code
from idp.identity.citizen_number import NumberKind, parse_citizen_number, upgrade_fifteen
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import MalformedName, MalformedNumber
from idp.identity.holder import HolderCodeType, holder_reference, parse_holder_reference
from idp.identity.masking import mask_mobile, mask_name, mask_number
from idp.identity.person_name import NameNote, normalise_name
from idp.mobile_number import parse_mobile_number

TODAY = date(2026, 11, 22)
VALID_NUMBERS = [
    ("11010519491231002X", NumberKind.CITIZEN),
    ("440524188001010014", NumberKind.CITIZEN),
    ("360426199101010071", NumberKind.CITIZEN),
    ("620102198001010017", NumberKind.CITIZEN),
    ("810000199408230021", NumberKind.HONG_KONG_RESIDENCE_PERMIT),
    ("82000019950721001X", NumberKind.MACAO_RESIDENCE_PERMIT),
    ("830000199201300022", NumberKind.TAIWAN_RESIDENCE_PERMIT),
    ("931840198001010017", NumberKind.FOREIGN_PERMANENT_RESIDENT),
]
VALID_CODES = """11100000000013338W 11110000000021135M 11220000013544541J 11430000006122244L 11330105002500287C
11100000000013661B 91460100MA5THWMM2J 11460103008195308P 914600007477761066 91370406L24894136J 12100000400001862X
91350100M000100Y43 11100000MB03271699""".split()  # noqa: SIM905 - a table to read


@pytest.mark.parametrize(("number", "kind"), VALID_NUMBERS)
def test_the_vectors_are_accepted(number: str, kind: NumberKind) -> None:
    parsed = parse_citizen_number(number, today=TODAY)
    assert (parsed.number, parsed.kind) == (number, kind)
    assert number not in repr(parsed)


def test_fifteen_digits_become_eighteen() -> None:
    assert upgrade_fifteen("110105491231002") == "11010519491231002X"
    parsed = parse_citizen_number("110105491231002", today=TODAY)
    assert (parsed.number, parsed.upgraded) == ("11010519491231002X", True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "length"),
        ("62010219800101001", "length"),
        ("6201021980010100170", "length"),
        ("620102198001010018", "check-character"),
        ("62010219800101001A", "alphabet"),
        ("020102198001010017", "alphabet"),
        ("62010X198001010017", "alphabet"),
        ("٦20102198001010017", "alphabet"),
    ],
)
def test_each_broken_rule_is_named(text: str, code: str) -> None:
    with pytest.raises(MalformedNumber) as refused:
        parse_citizen_number(text, today=TODAY)
    assert refused.value.code == code
    assert not text or text not in str(refused.value)


def with_check(first_17: str) -> str:
    return first_17 + citizen_number.check_character(first_17)


@pytest.mark.parametrize(
    ("first_17", "code"),
    [
        ("62010219800230001", "birth-date"),
        ("62010220261123001", "birth-in-future"),
        ("81000119940823002", "permit-region"),
    ],
)
def test_dates_and_permit_regions_are_checked(first_17: str, code: str) -> None:
    with pytest.raises(MalformedNumber) as refused:
        parse_citizen_number(with_check(first_17), today=TODAY)
    assert refused.value.code == code


def test_an_unknown_region_only_warns() -> None:
    assert not parse_citizen_number("880102198503150026", today=TODAY).region_known
    assert parse_citizen_number("620102198001010017", today=TODAY).region_known


def test_typing_habits_are_forgiven() -> None:
    assert parse_citizen_number(" １１010519491231002x ", today=TODAY).number == "11010519491231002X"


BIRTHS = st.dates(date(1850, 1, 1), TODAY).map(lambda day: day.strftime("%Y%m%d"))


@given(st.from_regex(r"[1-7][0-9]{5}", fullmatch=True), BIRTHS, st.from_regex(r"[0-9]{3}", fullmatch=True))
@settings(max_examples=200)
def test_every_well_made_number_is_accepted_and_each_slip_found(
    region: str, birth: str, sequence: str
) -> None:
    number = with_check(region + birth.rjust(8, "0") + sequence)
    assert parse_citizen_number(number, today=TODAY).number == number
    for place in range(17):
        slipped = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
        with pytest.raises(MalformedNumber):
            parse_citizen_number(slipped, today=TODAY)


@given(st.text(max_size=24))
@settings(max_examples=200)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (
        lambda: parse_citizen_number(text, today=TODAY),
        lambda: parse_credit_code(text),
        lambda: parse_mobile_number(text),
        lambda: parse_holder_reference(text),
    ):
        with contextlib.suppress(MalformedNumber, MalformedMobile):
            parse()


@pytest.mark.parametrize("code", VALID_CODES)
def test_the_credit_code_vectors_are_accepted(code: str) -> None:
    assert parse_credit_code(code).code == code
    assert parse_credit_code(f" {code.lower()} ").code == code


@pytest.mark.parametrize("department", ["A", "N", "Y"])
def test_departments_by_letter_are_accepted(department: str) -> None:
    inner = "MB032716" + credit_code.organisation_check("MB032716")
    first_17 = f"{department}2620102{inner}"
    assert parse_credit_code(first_17 + credit_code.check_character(first_17)).department == department


def test_both_checks_of_a_credit_code_count() -> None:
    with pytest.raises(MalformedNumber, match="校验位不符") as refused:
        parse_credit_code("91350100M000100Y4Z".replace("Z", "4"))
    assert refused.value.code == "check-character"
    with pytest.raises(MalformedNumber) as refused:
        parse_credit_code("91350100M000100Y4Z")
    assert refused.value.code == "alphabet"
    first_17 = "11100000MB0327168"
    with pytest.raises(MalformedNumber) as refused:
        parse_credit_code(first_17 + credit_code.check_character(first_17))
    assert refused.value.code == "organisation-check"
    with pytest.raises(MalformedNumber) as refused:
        parse_credit_code("B1100000MB03271699")
    assert refused.value.code == "department"


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), st.sampled_from("123456789ANY"))
@settings(max_examples=200)
def test_a_slip_in_a_credit_code_is_found(organisation: str, department: str) -> None:
    inner = organisation + credit_code.organisation_check(organisation)
    first_17 = f"{department}1620102{inner}"
    code = first_17 + credit_code.check_character(first_17)
    assert parse_credit_code(code).organisation_code == inner
    for place in range(18):
        slipped = code[:place] + ("1" if code[place] != "1" else "2") + code[place + 1 :]
        with pytest.raises(MalformedNumber):
            parse_credit_code(slipped)


@pytest.mark.parametrize("dot", ["·", "•", "‧", "・", "･", "∙", "⋅", ".", "．", " · "])
def test_all_middle_dots_are_one(dot: str) -> None:
    assert normalise_name(f"阿依古丽{dot}买买提").name_key == "阿依古丽·买买提"


def test_what_was_normalised_is_recorded() -> None:
    assert normalise_name("林晓雯").notes == ()
    assert NameNote.SPACES in normalise_name(" 林 晓 雯 ").notes
    assert NameNote.WIDTH in normalise_name("Ｊｏｈｎ").notes
    assert NameNote.CASE in normalise_name("John").notes
    assert normalise_name("王𠮷").name_key == "王𠮷"


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), ("··", "empty"), ("王1", "character"), ("王\x00", "character")]
)
def test_what_is_no_name_is_refused(text: str, code: str) -> None:
    with pytest.raises(MalformedName) as refused:
        normalise_name(text)
    assert refused.value.code == code
    with pytest.raises(MalformedName):
        normalise_name("王" * 61)


@given(st.text(max_size=80))
@settings(max_examples=300)
def test_normalising_twice_changes_nothing(text: str) -> None:
    try:
        once = normalise_name(text)
    except MalformedName:
        return
    assert normalise_name(once.name_key).name_key == once.name_key


def test_masks() -> None:
    assert mask_name("甘肃人") == "甘****"
    assert mask_name("") == ""
    assert mask_number("620102198001010017") == "620102********0017"
    assert mask_number("E1234567") == "********"
    assert mask_mobile("13900000001") == "139****0001"
    assert mask_mobile("1390") == "****"


@pytest.mark.parametrize(
    "text", ["13900000001", "+86 139-0000-0001", "１３９００００００01", "008613900000001"]
)
def test_mobile_numbers_as_typed(text: str) -> None:
    assert parse_mobile_number(text) == "13900000001"


def test_a_holder_reference_is_of_type_and_number() -> None:
    seen: list[bytes] = []

    def mac(message: bytes) -> bytes:
        seen.append(message)
        return bytes(32)

    reference = holder_reference(HolderCodeType.CITIZEN_NUMBER, "620102198001010017", mac)
    assert seen == [b"longzheng holder v1\x00111\x00620102198001010017"]
    assert parse_holder_reference(reference) == "h1-" + "A" * 43
