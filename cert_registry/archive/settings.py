"""When the archive is renewed: the section `registry.archive`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from cert_registry.archive.types import RenewalPolicy
from cert_registry.errors import ConfigurationError

USUAL_LEAD: Final = timedelta(days=180)
_KNOWN: Final = {"lead_days", "algorithms_end"}


def read_policy(section: object) -> RenewalPolicy:
    """Read `lead_days` and `algorithms_end` (algorithm to last day).

    Raises:
        ConfigurationError: With a sentence that says what to change.
    """
    if section is None:
        return RenewalPolicy(lead=USUAL_LEAD)
    if not isinstance(section, Mapping) or set(section) - _KNOWN:
        raise ConfigurationError("registry.archive may hold lead_days and algorithms_end.")
    lead = section.get("lead_days", USUAL_LEAD.days)
    if isinstance(lead, bool) or not isinstance(lead, int) or not 1 <= lead <= 3650:
        raise ConfigurationError("registry.archive.lead_days must be a number of days from 1 to 3650.")
    ends = section.get("algorithms_end", {})
    if not isinstance(ends, Mapping):
        raise ConfigurationError(
            "registry.archive.algorithms_end must map algorithms (sha256, sha256_ecdsa) to their last day."
        )
    return RenewalPolicy(
        lead=timedelta(days=lead),
        algorithms_end=tuple((str(name), _day(value)) for name, value in sorted(ends.items())),
    )


def _day(value: object) -> date:
    if type(value) is date:  # YAML reads a day as one
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ConfigurationError(
            "registry.archive.algorithms_end must name days such as 2035-12-31."
        ) from error
