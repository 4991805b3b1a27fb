"""The data twin: canonical, complete, and without a holder's number outside the face."""

import json
from collections.abc import Callable

import pytest

from cert_registry.catalog.errors import TwinRefused
from cert_registry.catalog.twin import read_twin
from tests.unit.catalog.specimens import CATALOG, SAMPLES, SLUGS, TODAY, specimen


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_twin_reads_back(slug: str, sample: str) -> None:
    made = specimen(slug, sample)
    twin = read_twin(made.imprint.twin)
    assert twin["face"] == {
        key: value for key, value in made.certificate_type.samples[sample].items() if key in made.face.values
    }
    assert twin["certificateTypeCode"] == made.certificate_type.type_code
    assert twin["status"]["status_list"] == {"uri": "http://localhost:8080/status-lists/1", "idx": 5}
    assert twin["templateVersion"] == "1"


def test_numbers_of_holders_stand_in_the_face_only() -> None:
    made = specimen("no-criminal-record")
    twin = dict(read_twin(made.imprint.twin))
    face = twin.pop("face")
    assert face["number"] == "880102198503150026"
    assert "880102198503150026" not in json.dumps(twin)
    assert twin["certificateHolders"] == [
        {
            "certificateHolderName": "林晓雯",
            "certificateHolderType": "111",
            "certificateHolderTypeName": "公民身份号码",
        }
    ]


def test_long_term_is_a_value() -> None:
    assert read_twin(specimen("business-licence").imprint.twin)["certificateExpiringDate"] == "长期"


@pytest.mark.parametrize(
    "change",
    [
        lambda _twin: b"",
        lambda _twin: b"\xff",
        lambda _twin: b"[]",
        lambda _twin: b"[" * 100_000,
        lambda twin: twin + b"\n",
        lambda twin: twin.replace(b'":"', b'": "', 1),
        lambda twin: json.dumps(json.loads(twin)).encode(),
        lambda twin: twin.replace(b"longzheng-ecert-1", b"longzheng-ecert-9"),
        lambda twin: b" " * (1 << 20) + twin,
    ],
)
def test_what_is_not_canonical_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TwinRefused):
        read_twin(change(specimen("business-licence").imprint.twin))


def test_the_catalogue_names_every_code_type_that_it_uses() -> None:
    for certificate_type in CATALOG.types():
        for sample in certificate_type.samples.values():
            face = certificate_type.check_face(sample, today=TODAY)
            assert all(holder.code_type for holder in certificate_type.holders_of(face))
