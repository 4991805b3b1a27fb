"""Making, reading and verifying e-seals, and everything that must be refused."""

import contextlib
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.eseal import structures
from cert_registry.eseal.errors import EsealContentRefused, EsealMalformed
from cert_registry.eseal.making import Signer, make_seal, make_signature
from cert_registry.eseal.ports import Judgement, Standing
from cert_registry.eseal.reading import is_signature, read_seal, read_signature
from cert_registry.eseal.report import EsealVerdict, Severity, Step
from cert_registry.eseal.types import CertificateMark, EsealVersion, Extension
from cert_registry.eseal.verifying import verify
from tests.unit.eseal.eseal_world import (
    MADE,
    NOW,
    P256Key,
    a_judge,
    a_signer,
    certificate_for,
    content_for,
    sm2_key,
)

DATA = b"the protected data"
SIGNED = MADE + timedelta(days=3)


@pytest.fixture(scope="module", params=["sm2", "p256"])
def people(request: pytest.FixtureRequest) -> tuple[Signer, Signer]:
    """Maker and holder."""
    new = sm2_key if request.param == "sm2" else P256Key
    return a_signer(new(), "制章人"), a_signer(new(), "持章人")


def _signature(maker: Signer, holder: Signer, version: EsealVersion = EsealVersion.V5) -> bytes:
    seal = make_seal(content_for(holder.certificate), maker=maker, version=version)
    return make_signature(seal, signer=holder, data=DATA, property_info="/Doc_0/a.xml", signed_at=SIGNED)


@pytest.mark.parametrize("version", [EsealVersion.V4, EsealVersion.V5])
def test_a_seal_says_what_was_put_into_it(people: tuple[Signer, Signer], version: EsealVersion) -> None:
    maker, holder = people
    content = replace(
        content_for(holder.certificate),
        extensions=(Extension(identifier="1.2.3.4", critical=False, value=b"x"),),
    )
    der = make_seal(content, maker=maker, version=version)
    read = read_seal(der)
    assert (read.version, read.content, read.encoded) == (version, content, der)
    report = verify(der, judge=a_judge(), now=NOW)
    assert (report.verdict, report.findings) == (EsealVerdict.VALID, ())
    assert not is_signature(der)


@pytest.mark.parametrize("version", [EsealVersion.V4, EsealVersion.V5])
def test_a_signature_holds(people: tuple[Signer, Signer], version: EsealVersion) -> None:
    der = _signature(*people, version)
    assert is_signature(der)
    assert read_signature(der).version is version
    report = verify(der, judge=a_judge(), now=NOW, data=DATA)
    assert (report.verdict, report.findings) == (EsealVerdict.VALID, ())
    assert report.signed_at == SIGNED
    assert verify(der, judge=a_judge(), now=NOW).verdict is EsealVerdict.INDETERMINATE
    other = verify(der, judge=a_judge(), now=NOW, data=DATA + b".")
    assert [f.step for f in other.findings] == [Step.PROTECTED_DATA]
    assert other.verdict is EsealVerdict.INVALID


def test_only_the_seal_info_is_signed_in_version_4_and_5(people: tuple[Signer, Signer]) -> None:
    maker, holder = people
    seal = structures.Seal.load(make_seal(content_for(holder.certificate), maker=maker))
    assert read_seal(seal.dump()).signed_bytes == seal["seal_info"].dump()


def test_the_list_s_type_decides_which_list_it_is(people: tuple[Signer, Signer]) -> None:
    maker, holder = people
    mark = CertificateMark(name="SM3", value=hashlib.new("sm3", holder.certificate).digest())
    content = replace(content_for(), marks=(mark,))
    seal = make_seal(content, maker=maker)
    assert read_seal(seal).content == content
    signature = make_signature(seal, signer=holder, data=DATA, property_info="x", signed_at=SIGNED)
    assert verify(signature, judge=a_judge(), now=NOW, data=DATA).verdict is EsealVerdict.VALID
    stranger = a_signer(sm2_key(), "他人")
    signature = make_signature(seal, signer=stranger, data=DATA, property_info="x", signed_at=SIGNED)
    report = verify(signature, judge=a_judge(), now=NOW, data=DATA)
    assert [f.step for f in report.findings] == [Step.SIGNER_LISTED]
    value = structures.Seal.load(seal)
    value["seal_info"]["property"]["cert_list_type"] = structures.CERTIFICATES
    with pytest.raises(EsealMalformed):
        read_seal(value.dump(force=True))
    value["seal_info"]["property"]["cert_list_type"] = 3
    with pytest.raises(EsealMalformed):
        read_seal(value.dump(force=True))


def test_versions_are_told_by_the_number_of_elements(people: tuple[Signer, Signer]) -> None:
    maker, holder = people
    content = content_for(holder.certificate)
    stamped = make_seal(content, maker=maker, stamp=lambda _: b"stamp")
    assert len(core.Sequence.load(stamped)) == 5
    assert read_seal(stamped).time_stamp == b"stamp"
    value = structures.Seal.load(stamped)
    value["seal_info"]["header"]["version"] = 4
    with pytest.raises(EsealMalformed):  # version 4 has no place for a time stamp
        read_seal(value.dump(force=True))
    with pytest.raises(EsealContentRefused):
        make_seal(content, maker=maker, version=EsealVersion.V4, stamp=lambda _: b"stamp")
    for number in (0, 1, 3, 6):
        value = structures.Seal.load(make_seal(content, maker=maker))
        value["seal_info"]["header"]["version"] = number
        with pytest.raises(EsealMalformed):
            read_seal(value.dump(force=True))


def _version_1(maker: Signer, holder: Signer) -> tuple[bytes, bytes]:
    """GM/T 0031-2014: UTCTime, SES_SignInfo, and the maker signs info, certificate and algorithm."""
    content = content_for(holder.certificate)
    info = structures.SealInfoV1(
        {
            "header": {"id": "ES", "version": 1, "vid": "LZ"},
            "es_id": content.seal_id,
            "property": {
                "type": 1,
                "name": content.name,
                "cert_list": [holder.certificate],
                "create_date": content.created_at,
                "valid_start": content.valid_from,
                "valid_end": content.valid_until,
            },
            "picture": {"type": "SVG", "data": content.picture.data, "width": 42, "height": 42},
        }
    )
    parts = {"seal_info": info, "cert": maker.certificate, "sign_alg_id": maker.algorithm}
    signature = maker.key.sign(structures.SignedByMakerV1(parts).dump())
    made = {"cert": maker.certificate, "sign_alg_id": maker.algorithm, "signed_value": signature}
    seal = structures.SealV1({"seal_info": info, "sign_info": made})
    to_sign = structures.ToSignV1(
        {
            "version": 1,
            "eseal": seal,
            "time_info": b"20260705010203Z",
            "data_hash": hashlib.new("sm3" if maker.algorithm.endswith("501") else "sha256", DATA).digest(),
            "property_info": "x",
            "cert": holder.certificate,
            "signature_alg_id": holder.algorithm,
        }
    )
    whole = structures.SignatureV1({"to_sign": to_sign, "signature": holder.key.sign(to_sign.dump())})
    return bytes(seal.dump()), bytes(whole.dump())


def test_version_1_is_read_and_verified(people: tuple[Signer, Signer]) -> None:
    seal, signature = _version_1(*people)
    assert read_seal(seal).version is EsealVersion.V1
    assert verify(seal, judge=a_judge(), now=NOW).verdict is EsealVerdict.VALID
    report = verify(signature, judge=a_judge(), now=NOW, data=DATA)
    # its time is a bit string whose content the text at hand does not define
    assert [(f.step, f.severity) for f in report.findings] == [(Step.SIGNING_TIME, Severity.UNDECIDED)]
    with pytest.raises(EsealContentRefused):
        make_signature(seal, signer=people[1], data=DATA, property_info="x", signed_at=SIGNED)


def test_every_altered_byte_shows(people: tuple[Signer, Signer]) -> None:
    for der in (_signature(*people), make_seal(content_for(people[1].certificate), maker=people[0])):
        for place in range(0, len(der), 7):
            altered = der[:place] + bytes([der[place] ^ 1]) + der[place + 1 :]
            report = verify(altered, judge=a_judge(), now=NOW, data=DATA)
            # the judge here trusts whatever certificate it is shown, so a changed certificate shows by its key
            assert report.verdict is not EsealVerdict.VALID or _only_certificate_differs(der, altered), place


def _only_certificate_differs(der: bytes, altered: bytes) -> bool:
    """Outside what is signed stand the certificates, whose own signatures the judge checks."""
    try:
        before = (read_signature if is_signature(der) else read_seal)(der)
        after = (read_signature if is_signature(altered) else read_seal)(altered)
    except EsealMalformed:
        return False
    names = ("signer", "maker")
    return any(getattr(before, n, None) != getattr(after, n, None) for n in names)


@pytest.mark.parametrize(
    "change",
    [
        lambda der: der + b"\0",
        lambda der: der[:-1],
        lambda der: b"\x30\x80" + der[4:] + b"\0\0",
        lambda der: b"\x30\x83\x00" + der[2:],
        lambda _: b"",
        lambda _: b"\x30\x00",
        lambda _: b"\x04\x01\x00",
        lambda _: b"\x30\x04\x30\x00\x30\x00",
    ],
)
def test_what_is_not_one_structure_in_der_is_refused(people: tuple[Signer, Signer], change: object) -> None:
    der = change(make_seal(content_for(people[1].certificate), maker=people[0]))  # type: ignore[operator] # a lambda
    with pytest.raises(EsealMalformed):
        read_seal(der)
    assert verify(der, judge=a_judge(), now=NOW).verdict is EsealVerdict.INVALID


def test_times_in_another_form_are_refused(people: tuple[Signer, Signer]) -> None:
    der = make_seal(content_for(people[1].certificate), maker=people[0])
    with pytest.raises(EsealMalformed):  # the same moment with an offset
        read_seal(der.replace(b"20260702010203Z", b"202607020102+01"))


def test_time_stamp_not_earlier_than_the_creation(people: tuple[Signer, Signer]) -> None:
    maker, holder = people
    der = make_seal(content_for(holder.certificate), maker=maker, stamp=lambda _: b"stamp")
    judge = a_judge()
    report = verify(der, judge=judge, now=NOW)
    assert [(f.step, f.severity) for f in report.findings] == [(Step.SEAL_TIME_STAMP, Severity.ERROR)]
    covered = (b"stamp", read_seal(der).signature)
    judge.stamps[covered] = MADE + timedelta(minutes=1)
    assert verify(der, judge=judge, now=NOW).verdict is EsealVerdict.VALID
    judge.stamps[covered] = MADE - timedelta(seconds=1)
    assert verify(der, judge=judge, now=NOW).verdict is EsealVerdict.INVALID


@pytest.mark.parametrize("later", [Standing.EXPIRED, Standing.REVOKED])
def test_the_maker_s_end_after_the_making_is_a_warning(
    people: tuple[Signer, Signer], later: Standing
) -> None:
    der = make_seal(content_for(people[1].certificate), maker=people[0])
    judge = a_judge()
    judge.standings[NOW] = Judgement(standing=later, revoked_at=MADE + timedelta(days=1))
    report = verify(der, judge=judge, now=NOW)
    assert report.verdict is EsealVerdict.VALID
    assert [(f.step, f.severity) for f in report.findings] == [(Step.MAKER_CERTIFICATE, Severity.WARNING)]
    judge.standings[MADE] = Judgement(standing=later, revoked_at=MADE - timedelta(days=1))
    assert verify(der, judge=judge, now=NOW).verdict is EsealVerdict.INVALID


def test_a_claimed_time_does_not_go_before_the_signer_s_revocation(people: tuple[Signer, Signer]) -> None:
    """Whoever holds a revoked key can write any time into a signature; only a stamp proves one."""
    der = _signature(*people)
    judge = a_judge()
    judge.standings[NOW] = Judgement(standing=Standing.REVOKED, revoked_at=SIGNED + timedelta(days=1))
    report = verify(der, judge=judge, now=NOW, data=DATA)
    assert (Step.SIGNER_CERTIFICATE, Severity.UNDECIDED) in [(f.step, f.severity) for f in report.findings]
    assert report.verdict is EsealVerdict.INDETERMINATE


@pytest.mark.parametrize(
    ("standing", "verdict"),
    [
        (Standing.UNTRUSTED, EsealVerdict.INDETERMINATE),
        (Standing.UNKNOWN, EsealVerdict.INDETERMINATE),
        (Standing.NOT_YET_VALID, EsealVerdict.INVALID),
    ],
)
def test_what_the_judge_says_of_the_maker_counts(
    people: tuple[Signer, Signer], standing: Standing, verdict: EsealVerdict
) -> None:
    judge = a_judge()
    judge.standings[MADE] = Judgement(standing=standing)
    der = make_seal(content_for(people[1].certificate), maker=people[0])
    assert verify(der, judge=judge, now=NOW).verdict is verdict


def test_a_seal_outside_its_validity_or_from_the_future(people: tuple[Signer, Signer]) -> None:
    der = make_seal(content_for(people[1].certificate), maker=people[0])
    late = verify(der, judge=a_judge(), now=MADE + timedelta(days=366))
    assert [f.step for f in late.findings] == [Step.SEAL_VALIDITY]
    early = verify(der, judge=a_judge(), now=MADE - timedelta(days=1))
    assert [f.step for f in early.findings] == [Step.CREATION_TIME, Step.SEAL_VALIDITY]
    signature = _signature(*people)  # made while the seal was valid, verified after it ended
    assert (
        verify(signature, judge=a_judge(), now=MADE + timedelta(days=400), data=DATA).verdict
        is EsealVerdict.VALID
    )


def test_keys_that_may_not_sign_and_extensions_that_nobody_knows() -> None:
    maker, holder = sm2_key(), a_signer(sm2_key(), "持章人")
    wrong = Signer(key=maker, certificate=certificate_for(maker, "制章人", seals=False))
    der = make_seal(content_for(holder.certificate), maker=wrong)
    report = verify(der, judge=a_judge(), now=NOW)
    assert [(f.step, f.severity) for f in report.findings] == [(Step.MAKER_CERTIFICATE, Severity.ERROR)]
    content = replace(
        content_for(holder.certificate), extensions=(Extension(identifier="1.2.3", critical=True, value=b""),)
    )
    right = a_signer(maker, "制章人")
    assert (
        verify(make_seal(content, maker=right), judge=a_judge(), now=NOW).verdict
        is EsealVerdict.INDETERMINATE
    )


@pytest.mark.parametrize("field", ["seal_id", "vendor_id"])
@pytest.mark.parametrize("text", ["", "章", "a\n"])
def test_numbers_that_are_not_ascii_are_not_put_into_a_seal(field: str, text: str) -> None:
    holder = a_signer(sm2_key(), "持章人")
    content = replace(content_for(holder.certificate), **{field: text})
    with pytest.raises(EsealContentRefused):
        make_seal(content, maker=holder)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_but_what_they_may(data: bytes) -> None:
    assert verify(data, judge=a_judge(), now=NOW).verdict is EsealVerdict.INVALID


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_altered_seals_are_read_or_refused_alike(place: int, value: int) -> None:
    der = bytearray(_SAMPLE)
    der[place % len(der)] = value
    with contextlib.suppress(EsealMalformed):
        assert read_seal(bytes(der)).encoded == bytes(der)


_HOLDER = a_signer(P256Key(), "holder")
_SAMPLE = make_seal(content_for(_HOLDER.certificate), maker=_HOLDER)
