import logging

import pytest

from cert_registry import errors
from cert_registry.archive.errors import ArchiveError
from cert_registry.ingestion.errors import IngestionError
from cert_registry.legal_persons.errors import LegalPersonsError
from cert_registry.organisations.errors import OrganisationsError
from cert_registry.problems import PROBLEMS, problem_for
from cert_registry.requirements.errors import RequirementsError
from cert_registry.seals.errors import SealsError
from idp.identity.errors import AccessTokenRefused


def leaves(base: type[Exception]) -> list[type[Exception]]:
    """The decisions below a base; one of them may be a base of finer ones."""
    ours = [
        child
        for child in base.__subclasses__()
        if child.__module__.startswith("cert_registry") and ".web." not in child.__module__
    ]
    return [one for child in ours for one in (child, *leaves(child)) if one not in BASES]


# Named one by one, so that what is looked at does not hang on what other tests have imported.
BASES = (
    errors.RegistryError,
    ArchiveError,
    OrganisationsError,
    LegalPersonsError,
    RequirementsError,
    IngestionError,
    SealsError,
)


@pytest.mark.parametrize("leaf", [leaf for base in BASES for leaf in leaves(base)])
def test_every_error_has_a_row_and_a_code_of_its_own(leaf: type[Exception]) -> None:
    assert leaf in PROBLEMS
    assert leaf.code  # type: ignore[attr-defined] # each base declares it


def test_an_unlisted_error_is_a_500_without_detail() -> None:
    response = problem_for(ValueError("a secret"))
    assert (response.status_code, response.mimetype) == (500, "application/problem+json")
    assert b"secret" not in response.data


def test_a_storage_error_tells_nothing_of_its_cause() -> None:
    response = problem_for(errors.StoreUnavailable("the path /secret"))
    assert response.status_code == 503
    assert b"/secret" not in response.data


@pytest.mark.parametrize(("code", "status"), [("expired", 401), ("scope", 403), ("keys-unavailable", 503)])
def test_tokens_are_refused_as_rfc_6750_says(code: str, status: int) -> None:
    assert problem_for(AccessTokenRefused("…", code=code)).status_code == status


def test_a_log_line_holds_type_code_and_frames_but_no_message(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        try:
            dict[str, str]()["110101199003071233"]
        except KeyError as error:
            raise ValueError("110101199003071233") from error

    with caplog.at_level(logging.WARNING):
        try:
            fail()
        except ValueError as error:
            problem_for(error)
        problem_for(errors.StoreUnavailable("the path /secret"))
    assert "110101199003071233" not in caplog.text
    assert "/secret" not in caplog.text
    for told in ("ValueError", "KeyError", "in fail", "StoreUnavailable", "store-unavailable"):
        assert told in caplog.text
    assert all(record.exc_info is None for record in caplog.records)
