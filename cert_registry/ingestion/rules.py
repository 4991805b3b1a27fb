"""From a row to a certificate of the stock, or to the reason why not. Pure but for the keyed hashes passed in.

Numbered as in `read_row`:

1. as many cells as the header has
2. nothing required is empty
3. dates become ``YYYY-MM-DD``; several ways of writing are understood, none is guessed
4. the certificate number's check digit holds
5. the credit code's two checks hold
6. issued and beginning not after the end
7. the issuer's code fits its column
8. the face fits its type
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from cert_registry.catalog.certificate_type import CertificateType, check_digit
from cert_registry.catalog.errors import CivilDateRefused, FaceRefused
from cert_registry.catalog.face_schema import CheckedFace
from cert_registry.civil_date import LONG_TERM, parse_civil_date
from cert_registry.ingestion.mapping import BoundMapping, Column, ColumnKind, ColumnPlace
from cert_registry.ingestion.types import BatchId, Reason, RowKey, StockEcert
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import MalformedNumber
from idp.identity.holder import HolderCodeType, Mac, holder_reference

DATE_FORMS = (
    re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"),
    re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"),
    re.compile(r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})"),
    re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"),
    re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
)
MAX_ISSUER_CODE = 18


class RowRefused(Exception):
    """A row cannot become an ecert. Caught by the use case: a row never stops a file."""

    def __init__(self, reason: Reason, sentence: str, *, field: str = "") -> None:
        """Keep reason and field beside the sentence, which holds no value of the row."""
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """What reading the rows of one batch needs.

    Attributes:
        mac: the holder key's HMAC, in the token; once a row.
        row_secret: 32 bytes under which row keys and contents are hashed, here and not in the token.
        today: civil day of the batch.
    """

    batch_id: BatchId
    source: str
    mapping: BoundMapping
    certificate_type: CertificateType
    mac: Mac
    row_secret: bytes
    today: date

    def read_row(self, line_number: int, row: tuple[str, ...]) -> StockEcert:
        """The certificate that a row describes.

        Raises:
            RowRefused: with the first rule broken.
        """
        # (1): shape
        if len(row) != self.mapping.width:
            raise RowRefused(Reason.ROW_SHAPE, f"应有 {self.mapping.width} 列，实有 {len(row)} 列。")
        cells = self.mapping.cells(row)
        # (2): required cells
        for column, cell in cells:
            if column.required and not cell:
                _refuse(Reason.MISSING_FIELD, column, "未填写。")
        # (3): dates
        values = {column.field: _written(column, cell) for column, cell in cells if cell}
        # (4), (5), (6), (7): numbers and order
        self._check_number(values)
        _check_credit_codes(cells)
        face, issuing = self._split(values)
        valid_from, valid_until = self._term(face)
        issued_on = parse_civil_date(issuing[ColumnPlace.ISSUED_ON])
        if valid_until is not None and max(valid_from, issued_on) > valid_until:
            raise RowRefused(Reason.DATE_ORDER, "有效期止早于有效期起或发证日期。")
        if len(issuing[ColumnPlace.ISSUER_CODE]) > MAX_ISSUER_CODE:
            raise RowRefused(Reason.ISSUER_CODE, "发证机关代码超过 18 位。", field="issuer_code")
        # (8): the type's own schema
        checked = self._check_face(face)
        number = str(values[self.mapping.mapping.number_field])
        holders = self.certificate_type.holders_of(checked)
        return StockEcert(
            batch_id=self.batch_id,
            source=self.source,
            line_number=line_number,
            row_key=RowKey(self._keyed(b"key", {"type": self.certificate_type.slug, "number": number})),
            content_digest=self._keyed(b"content", values),
            type_code=self.certificate_type.type_code,
            type_slug=self.certificate_type.slug,
            certificate_number=number,
            face=checked,
            holders=holders,
            holder_references=tuple(
                holder_reference(HolderCodeType(each.code_type), each.number, self.mac) for each in holders
            ),
            issuer_code=issuing[ColumnPlace.ISSUER_CODE],
            issuer_name=issuing[ColumnPlace.ISSUER_NAME],
            issued_on=issued_on,
            valid_from=valid_from,
            valid_until=valid_until,
        )

    def _check_number(self, values: Mapped[str, str]) -> None:
        number = values[self.mapping.mapping.number_field]
        if self.mapping.mapping.number_has_check_digit and check_digit(number[:-1]) != number[-1]:
            raise RowRefused(
                Reason.CHECK_CHARACTER, "证照编号的校验位不符。", field=self.mapping.mapping.number_field
            )

    def _split(self, values: Mapped[str, str]) -> tuple[dict[str, str], dict[ColumnPlace, str]]:
        face: dict[str, str] = {}
        issuing: dict[ColumnPlace, str] = {}
        for column in self.mapping.mapping.columns:
            if column.field not in values:
                continue
            if column.place is ColumnPlace.FACE:
                face[column.field] = values[column.field]
            else:
                issuing[column.place] = values[column.field]
        return face, issuing

    def _term(self, face: Mapped[str, str]) -> tuple[date, date | None]:
        validity = self.certificate_type.validity
        expiry = face[validity.expiry_field]
        last = None if expiry == LONG_TERM.value else parse_civil_date(expiry)
        return parse_civil_date(face[validity.effective_field]), last

    def _check_face(self, face: Mapped[str, str]) -> CheckedFace:
        try:
            return self.certificate_type.check_face(face, today=self.today)
        except FaceRefused as error:
            first = error.problems[0]
            raise RowRefused(Reason.FACE, f"{first.title}：{first.sentence}", field=first.field) from error

    def _keyed(self, purpose: bytes, content: dict[str, str]) -> str:
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        message = b"longzheng stock v1\0" + purpose + b"\0" + text.encode()
        return hmac.new(self.row_secret, message, hashlib.sha256).hexdigest()


def _refuse(reason: Reason, column: Column, sentence: str) -> NoReturn:
    raise RowRefused(reason, f"{column.title}：{sentence}", field=column.field)


def _written(column: Column, cell: str) -> str:
    """A cell as the face writes it."""
    if column.kind is ColumnKind.CREDIT_CODE:
        return cell.upper()
    if column.kind is ColumnKind.TEXT or (column.kind is ColumnKind.EXPIRY and cell == LONG_TERM.value):
        return cell
    for form in DATE_FORMS:
        match = form.fullmatch(cell)
        if match:
            year, month, day = match.groups()
            try:
                return parse_civil_date(f"{year}-{month:0>2}-{day:0>2}").isoformat()
            except CivilDateRefused:
                break
    _refuse(Reason.BAD_DATE, column, "不是日期。")


def _check_credit_codes(cells: list[tuple[Column, str]]) -> None:
    for column, cell in cells:
        if column.kind is ColumnKind.CREDIT_CODE and cell:
            try:
                parse_credit_code(cell)
            except MalformedNumber as error:
                raise RowRefused(
                    Reason.CREDIT_CODE, f"{column.title}：{error}", field=column.field
                ) from error
