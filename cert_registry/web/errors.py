"""Refusals of the service's own pages; each becomes a plain sentence on a page."""

from __future__ import annotations

from cert_registry.errors import RegistryError


class SignInFailed(RegistryError):
    """The person is signed in at Keycloak, and still cannot use these pages; the sentence says what to do."""

    code = "sign-in-failed"
