"""One throw-away PKI for the whole run."""

from __future__ import annotations

import pytest
from validation_pki import Pki

from verify_api.validation import TrustAnchors


@pytest.fixture(scope="session")
def pki() -> Pki:
    return Pki()


@pytest.fixture(scope="session")
def trust(pki: Pki) -> TrustAnchors:
    return TrustAnchors.from_pem([pki.root.pem])


@pytest.fixture(scope="session")
def own(pki: Pki) -> TrustAnchors:
    return TrustAnchors.own_only(pki.root.pem)
