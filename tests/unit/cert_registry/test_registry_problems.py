import pytest

from cert_registry import errors
from cert_registry.ingestion.errors import IngestionError
from cert_registry.legal_persons.errors import LegalPersonsError
from cert_registry.organisations.errors import OrganisationsError
from cert_registry.problems import PROBLEMS, problem_for
from cert_registry.requirements.errors import RequirementsError
from idp.identity.errors import AccessTokenRefused


def leaves(base: type[Exception]) -> list[type[Exception]]:
    found = []
    for child in base.__subclasses__():
        found.append(child)
        found.extend(leaves(child))
    return [
        one for one in found if one.__module__.startswith("cert_registry") and ".web." not in one.__module__
    ]


BASES = (errors.RegistryError, OrganisationsError, LegalPersonsError, RequirementsError, IngestionError)


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
