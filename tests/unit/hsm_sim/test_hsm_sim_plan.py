import copy
from typing import Any

import pytest
import yaml

from hsm_sim.errors import PlanRefused
from hsm_sim.plan import PLAN_FILE, read_plan

_PLAN: dict[str, Any] = yaml.safe_load(PLAN_FILE.read_text(encoding="utf-8"))


def test_the_shipped_plan_is_sound() -> None:
    plan = read_plan(PLAN_FILE.read_text(encoding="utf-8"))
    assert plan.tokens == ("lz-root", "lz-seals", "lz-pki", "lz-log", "lz-receipts", "lz-keys")
    assert plan.key_of("root").token == "lz-root"


def _broken(*path: str | int, value: object) -> str:
    plan = copy.deepcopy(_PLAN)
    place: Any = plan
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return yaml.safe_dump(plan)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        _broken("version", value=2),
        _broken("surplus", value=1),
        _broken("tokens", 0, "keys", 0, "algorithm", value="des"),
        _broken("tokens", 1, "label", value="lz-root"),
        _broken("certificates", 0, "key", value="lz-root/none"),
        _broken("certificates", 1, "issuer", value="nobody"),
        _broken("certificates", 1, "name", value="root"),
        _broken("certificates", 1, "profile", value="any"),
        _broken("certificates", 1, "valid_days", value=0),
        _broken("certificates", 1, "valid_days", value=True),
        _broken("tokens", value="none"),
    ],
)
def test_a_faulty_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanRefused):
        read_plan(text)
