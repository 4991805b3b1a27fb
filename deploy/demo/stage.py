"""Where the demo's story is played: the people's browsers, what was expected, and the report."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts
from deploy.errors import DeployError
from deploy.form_client import FormClient


class StepDiffers(DeployError):
    """A step of the story went otherwise than told."""

    code = "step-differs"


@dataclass(slots=True, kw_only=True)
class Stage:
    """One telling of the story.

    Attributes:
        out: Where files go.
        props: What one act leaves for the next: identifiers, codes, digests.
    """

    configuration: Configuration
    out: Path
    citizen: FormClient = field(default_factory=FormClient)
    props: dict[str, Any] = field(default_factory=dict)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _acts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accounts(self) -> DemoAccounts:
        """The demo's accounts as they stand."""
        return DemoAccounts(self.configuration)

    def begin(self, title: str) -> None:
        """Begin an act."""
        self._acts.append({"title": title, "steps": []})
        self.say(f"\n{len(self._acts)}. {title}")

    def expect(self, holds: object, sentence: str) -> None:
        """Tell a step.

        Raises:
            StepDiffers: It does not hold.
        """
        self._acts[-1]["steps"].append({"sentence": sentence, "holds": bool(holds)})
        if not holds:
            raise StepDiffers(f"不符：{sentence}")
        self.say(f"   ✓ {sentence}")

    def say(self, sentence: str) -> None:
        """Tell the person at the keyboard."""
        print(sentence, file=sys.stderr, flush=True)

    def report(self, *, ended: datetime, succeeded: bool) -> dict[str, Any]:
        """The story as it went."""
        return {
            "succeeded": succeeded,
            "began": self.began.isoformat(),
            "ended": ended.isoformat(),
            "addresses": {
                "service": self.configuration.public_url,
                "verify": f"{self.configuration.public_url}/verify",
                "officers": f"{self.configuration.public_url}/officer/",
                "keycloak": self.configuration.keycloak.issuer,
                **{name: site.url for name, site in self.configuration.sites.items()},
            },
            "acts": self._acts,
            "ecert": {name: self.props.get(name) for name in ("identifier", "revoked_identifier", "sha256")},
        }
