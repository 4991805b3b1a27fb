"""Where the token and the public certificates are, read once from `longzheng.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cert_registry.signing.errors import ConfigurationError
from cert_registry.signing.pki.clock_settings import ClockSettings
from cert_registry.signing.token import ANSWER_WITHIN_S, DEFAULT_LIMITS, PoolLimits, Token

#: Tokens that the running service opens. The root's is not among them: it serves the ceremony alone.
PURPOSES = ("seals", "pki", "log", "receipts", "keys")

_MOST = 3600  # of sessions, callers or seconds: more is a slip

#: What `token.sm2.adapter` must say, so that nobody configures it unawares.
SM2_ADAPTER = "software-unfit-for-production"

#: Best practices time-stamp policy of EN 319 421, for want of an arc of our own.
BASELINE_TSA_POLICY = "0.4.0.2023.1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """A token's label and the file with its user PIN."""

    label: str
    pin_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of this package."""

    module_path: Path
    tokens: Mapping[str, TokenPlace]
    pki_directory: Path
    public_url: str
    tsa_policy_oid: str = BASELINE_TSA_POLICY
    sm2_key_directory: Path | None = None
    tsa_clock: ClockSettings | None = field(default_factory=ClockSettings)
    tsa_url: str | None = None
    pool: PoolLimits = DEFAULT_LIMITS
    answer_within_s: float = ANSWER_WITHIN_S

    @classmethod
    def from_mapping(
        cls, section: Mapping[str, Any], *, pki_directory: str | Path, public_url: str
    ) -> "Settings":
        """Read the section `token`; a root token in it is passed over.

        Args:
            section: `module_path`, `tokens` (purpose to `label` and `pin_file`), optionally `tsa_policy_oid`,
                `tsa_clock` (docs/levels.md), `tsa_url` of a time-stamp authority elsewhere, `sm2` (docs/sm2.md), and
                `pool` (`sessions`, `waiting`, `idle_check_s`, `answer_within_s`; docs/connect-an-hsm.md).
            pki_directory: `pki.directory` of the file.
            public_url: `public_url` of the file; signing certificates point below it.

        Raises:
            ConfigurationError: With a sentence that says what to change.
        """
        module_path = section.get("module_path")
        if not isinstance(module_path, str) or not module_path:
            raise ConfigurationError("token.module_path must name the PKCS#11 library of the token.")
        places = section.get("tokens")
        if not isinstance(places, Mapping):
            raise ConfigurationError("token.tokens must map seals, pki, log, receipts and keys to a token.")
        tokens = {purpose: _place(places.get(purpose), purpose) for purpose in PURPOSES}
        policy = section.get("tsa_policy_oid", BASELINE_TSA_POLICY)
        if not isinstance(policy, str) or not all(arc.isdecimal() for arc in policy.split(".")):
            raise ConfigurationError("token.tsa_policy_oid must be an object identifier such as 1.2.3.4.")
        pool, answer_within_s = _pool(section.get("pool", {}))
        return cls(
            pool=pool,
            answer_within_s=answer_within_s,
            module_path=Path(module_path),
            tokens=MappingProxyType(tokens),
            pki_directory=Path(pki_directory),
            public_url=public_url.rstrip("/"),
            tsa_policy_oid=policy,
            tsa_clock=ClockSettings.read(section.get("tsa_clock")),
            tsa_url=_url(section.get("tsa_url")),
            sm2_key_directory=_sm2_keys(section.get("sm2")),
        )

    def open_token(self, purpose: str) -> Token:
        """Return the token for `seals`, `pki`, `log`, `receipts` or `keys`; opens nothing yet."""
        place = self.tokens[purpose]
        return Token(
            self.module_path,
            place.label,
            place.pin_file,
            answer_within_s=self.answer_within_s,
            limits=self.pool,
        )


def _pool(value: object) -> tuple[PoolLimits, float]:
    """Read the bounds of the pools of sessions, and how long a caller waits for a token."""
    known = {"sessions": int, "waiting": int, "idle_check_s": float, "answer_within_s": float}
    if not isinstance(value, Mapping) or set(value) - set(known):
        raise ConfigurationError(f"token.pool may hold {', '.join(known)} and nothing else.")
    for name, number in value.items():
        least = 0 if name in {"waiting", "idle_check_s"} else 1
        kinds = int if known[name] is int else (int, float)
        if isinstance(number, bool) or not isinstance(number, kinds) or not least <= number <= _MOST:
            raise ConfigurationError(f"token.pool.{name} must be a number from {least} to {_MOST}.")
    given = {name: known[name](number) for name, number in value.items()}
    answer_within_s = given.pop("answer_within_s", ANSWER_WITHIN_S)
    return PoolLimits(**given), answer_within_s


def _sm2_keys(value: object) -> Path | None:
    """Read `sm2`: `adapter`, which must be the development one by its full name, and `key_directory`."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.get("adapter") != SM2_ADAPTER:
        raise ConfigurationError(f"token.sm2.adapter must be {SM2_ADAPTER}: there is no other here.")
    directory = value.get("key_directory")
    if not isinstance(directory, str) or not directory:
        raise ConfigurationError("token.sm2.key_directory must be the directory of the encrypted SM2 keys.")
    return Path(directory)


def _url(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise ConfigurationError("token.tsa_url must be the http(s) address of a time-stamp authority.")
    return value


def _place(value: object, purpose: str) -> TokenPlace:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"token.tokens.{purpose} must hold label and pin_file.")
    label, pin_file = value.get("label"), value.get("pin_file")
    if not isinstance(label, str) or not label:
        raise ConfigurationError(f"token.tokens.{purpose}.label must be the label of a token.")
    if not isinstance(pin_file, str | Path) or not str(pin_file):
        raise ConfigurationError(
            f"token.tokens.{purpose}.pin_file must be the path of the file with its PIN."
        )
    return TokenPlace(label=label, pin_file=Path(pin_file))
