"""Settings that are wrong are named; the schema on disk is the schema in the code."""

import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from realname_world import section

from idp.composition import prepare_secrets
from idp.errors import ConfigurationError, OwnershipUnavailable
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.person_name import normalise_name
from idp.mobile_number import MobileNumber
from idp.provider.signing_key import FileTokenSigner
from idp.settings import Settings
from idp.store.database import migrate, open_database
from idp.store.tables import metadata
from idp.unconfigured import UnconfiguredMobileOwnership


def test_addresses_follow_from_keycloaks_issuer(tmp_path: Path) -> None:
    settings = Settings.from_mapping(section(tmp_path, keycloak_internal_url="http://127.0.0.1:9"))
    assert settings.keycloak_jwks_url == "http://127.0.0.1:9/realms/gov/protocol/openid-connect/certs"
    assert settings.broker_redirect_uris == (
        "http://localhost:9/realms/gov/broker/realname/endpoint",
        "http://localhost:9/realms/gov/broker/realname-fresh/endpoint",
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"issuer": "http://id.example/idp"}, "idp.issuer"),
        ({"issuer": "https://id.example/other"}, "idp.issuer"),
        ({"issuer": ""}, "idp.issuer"),
        ({"signing_key_file": "relative.pem"}, "idp.signing_key_file"),
        ({"sms_gateway": "carrier"}, "idp.sms_gateway"),
        ({"limits": {"sms_per_numbre": 1}}, "sms_per_numbre"),
        ({"limits": {"sms_per_number": -1}}, "idp.limits.sms_per_number"),
        ({"limits": {"sms_per_number": True}}, "idp.limits.sms_per_number"),
        ({"directory": {}}, "idp.directory.url"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_mapping(section(tmp_path, **changes))


def test_production_limits_are_strict_and_a_demonstration_lifts_some(tmp_path: Path) -> None:
    strict = Settings.from_mapping(section(tmp_path, demo=False)).limits
    assert (strict.sms_cool_down_s, strict.sms_expiry_s, strict.sms_attempts) == (60, 300, 5)
    assert (strict.guesses_per_number, strict.guesses_per_mobile) == (5, 5)
    lifted = Settings.from_mapping(section(tmp_path)).limits
    assert lifted.sms_per_number > strict.sms_per_number
    assert lifted.guesses_per_number == strict.guesses_per_number


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    settings = Settings.from_mapping(section(tmp_path))
    prepare_secrets(settings)
    first = FileTokenSigner(settings.signing_key_file).public_jwk()
    prepare_secrets(settings)
    assert FileTokenSigner(settings.signing_key_file).public_jwk() == first
    assert "d" not in first
    assert stat.S_IMODE(settings.signing_key_file.stat().st_mode) == 0o600
    settings.signing_key_file.write_text("no key")
    with pytest.raises(ConfigurationError, match="PKCS#8"):
        FileTokenSigner(settings.signing_key_file)


def test_the_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'idp.db'}")
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()


def test_without_a_mobile_register_nobody_is_proved(tmp_path: Path) -> None:
    production = {key: value for key, value in section(tmp_path).items() if key != "mobile_register_file"}
    settings = Settings.from_mapping(production)
    assert (settings.demo, settings.mobile_register_file) == (False, None)
    number = parse_citizen_number("620102198001010017", today=date(2026, 11, 22))
    with pytest.raises(OwnershipUnavailable):
        UnconfiguredMobileOwnership().is_registered_to(
            MobileNumber("13900000001"), number, normalise_name("甘")
        )
