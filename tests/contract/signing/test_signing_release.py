"""The independent check finds every change, even when the changed file's own digest is expected."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sample_documents as documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.errors import (
    ContentDiffers,
    CoverageBroken,
    ReleaseRefused,
    SealBroken,
    StampBroken,
)
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.release import ReleaseEvidence, check_before_release
from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.sealing import PadesLevel, Sealer
from cert_registry.signing.settings import Settings


@pytest.fixture(scope="session")
def credentials(signing_settings: Settings, services: PkiServices) -> SealCredentials:
    return load_credentials(
        signing_settings.open_token("seals"), services.pki, "seal-city-police", now=datetime.now(UTC)
    )


@pytest.fixture(scope="session")
def sealed(sealer: Sealer, credentials: SealCredentials) -> bytes:
    done = sealer.seal(
        documents.rendered(),
        credentials=credentials,
        appearance=documents.appearance(),
        level=PadesLevel.B_LT,
        now=datetime.now(UTC),
    )
    return done.pdf


def check(
    file: bytes,
    credentials: SealCredentials,
    services: PkiServices,
    *,
    content: SealedContent | None = None,
) -> ReleaseEvidence:
    return check_before_release(
        file,
        expected_digest=hashlib.sha256(file).digest(),
        certificate=credentials.certificate,
        anchors=services.pki.anchors(),
        now=datetime.now(UTC),
        content=content,
    )


def test_a_sound_file_passes(sealed: bytes, credentials: SealCredentials, services: PkiServices) -> None:
    evidence = check(sealed, credentials, services, content=documents.content(PadesLevel.B_LT))
    assert evidence.sha256 == hashlib.sha256(sealed).digest()
    assert evidence.stamped_at is not None


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_is_found(
    sealed: bytes, credentials: SealCredentials, services: PkiServices, data: st.DataObject
) -> None:
    """Bits of certificates beside the signer's stay outside the signature; they are the validator's to check."""
    hole = sealed.index(b"/Contents <")
    changed = bytearray(sealed)
    positions = st.one_of(st.integers(0, hole), st.integers(len(sealed) - 1200, len(sealed) - 1))
    changed[data.draw(positions)] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ReleaseRefused):
        check(bytes(changed), credentials, services)


def test_bytes_more_or_less_are_found(
    sealed: bytes, credentials: SealCredentials, services: PkiServices
) -> None:
    for changed in (sealed + b"\n", sealed[:-1], b"\n" + sealed, sealed[:1000], b""):
        with pytest.raises(CoverageBroken):
            check(changed, credentials, services)


def test_padding_behind_the_signature_must_be_zero(
    sealed: bytes, credentials: SealCredentials, services: PkiServices
) -> None:
    end = sealed.index(b">", sealed.index(b"/Contents <"))
    with pytest.raises(CoverageBroken):
        check(sealed[: end - 1] + b"1" + sealed[end:], credentials, services)


def test_another_digest_seal_root_or_time_is_refused(
    sealed: bytes, credentials: SealCredentials, services: PkiServices
) -> None:
    good = {
        "expected_digest": hashlib.sha256(sealed).digest(),
        "certificate": credentials.certificate,
        "anchors": services.pki.anchors(),
        "now": datetime.now(UTC),
    }
    with pytest.raises(CoverageBroken):
        check_before_release(sealed, **good | {"expected_digest": bytes(32)})
    with pytest.raises(SealBroken):
        check_before_release(sealed, **good | {"certificate": services.pki.certificate("seal-city-land")})
    with pytest.raises(SealBroken):
        check_before_release(sealed, **good | {"anchors": [services.pki.certificate("tsa-ca")]})
    with pytest.raises(StampBroken):
        check_before_release(sealed, **good | {"now": good["now"] + timedelta(hours=1)})


def test_a_seal_without_stamp_is_refused_unless_allowed(
    sealer: Sealer, credentials: SealCredentials, services: PkiServices
) -> None:
    done = sealer.seal(
        documents.rendered(),
        credentials=credentials,
        appearance=documents.appearance(),
        level=PadesLevel.B_B,
        now=datetime.now(UTC),
    )
    with pytest.raises(StampBroken):
        check(done.pdf, credentials, services)
    evidence = check_before_release(
        done.pdf,
        expected_digest=done.sha256,
        certificate=credentials.certificate,
        anchors=services.pki.anchors(),
        now=datetime.now(UTC),
        stamped=False,
    )
    assert evidence.stamped_at is None


def test_another_page_than_the_rendered_one_is_found(
    sealed: bytes, credentials: SealCredentials, services: PkiServices
) -> None:
    with pytest.raises(ContentDiffers):
        check(
            sealed,
            credentials,
            services,
            content=replace(documents.content(PadesLevel.B_LT), page=documents.rendered("\n另一行")),
        )
