"""Authentication flows: never edited in place, always made anew under an alias that holds their content's digest.

A flow that is in use cannot be replaced in one step by Keycloak's interface, and a half-edited sign-in flow is a
hole. So a changed flow is built beside the old one, read back and compared step by step, and only then bound; the
old one is deleted last. A flow that an earlier start left half built, or that a person edited by hand, no longer
equals its file: it is passed over, built again under the next number, and removed.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from deploy.errors import DeployError
from deploy.realm_changes import MASKED, Action, Reconciler
from deploy.realm_connection import RealmConnection
from deploy.realm_settings import Representation


class FlowNotAsBuilt(DeployError):
    """A flow just built does not read back as its file says; it was not bound."""

    code = "flow-not-as-built"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One line of a flow, in the order in which Keycloak lists them.

    Attributes:
        level: depth, 0 for the flow's own steps.
        step: provider id of an authenticator, or the name of a subflow.
        is_subflow: whether `step` names a subflow.
        config: sorted settings of the authenticator.
    """

    level: int
    step: str
    is_subflow: bool
    requirement: str
    config: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFlows:
    """Which alias now stands for which file, and which flows nothing refers to any more."""

    alias_of: dict[str, str]
    outdated: tuple[tuple[str, str], ...]


def ensure_flows(
    flows: tuple[Representation, ...], connection: RealmConnection, reconciler: Reconciler
) -> BuiltFlows:
    """Builds what is not there as it should be. Outdated flows are returned, to be deleted once nothing is bound to them."""
    present = {flow["alias"]: flow["id"] for flow in connection.get("authentication", "flows") or []}
    alias_of: dict[str, str] = {}
    outdated: list[tuple[str, str]] = []
    for flow in flows:
        wanted = tuple(_wanted(flow["steps"]))
        stem = f"{flow['alias']}-{_digest(flow)}"
        family = re.compile(re.escape(flow["alias"]) + r"-[0-9a-f]{8}(\.[0-9]+)?")
        ours = [alias for alias in present if family.fullmatch(alias)]
        candidates = [alias for alias in ours if alias.split(".")[0] == stem]
        good = next((alias for alias in candidates if _same(_read(alias, connection), wanted)), None)
        if good is None:
            number = next(n for n in range(1, 10_000) if f"{stem}.{n}" not in present)
            good = f"{stem}.{number}"
            reconciler.note(
                "flow",
                flow["alias"],
                Action.CREATE,
                partial(_build, good, flow, wanted, connection),
            )
        alias_of[flow["alias"]] = good
        outdated.extend((alias, present[alias]) for alias in ours if alias != good)
    return BuiltFlows(alias_of=alias_of, outdated=tuple(outdated))


def delete_outdated(built: BuiltFlows, connection: RealmConnection, reconciler: Reconciler) -> None:
    """Removes flows that no file describes any more; call it after everything is bound to the new ones."""
    for alias, flow_id in built.outdated:
        reconciler.note(
            "flow", alias, Action.DELETE, connection.at("authentication", "flows", flow_id).delete
        )


def _digest(flow: Representation) -> str:
    return hashlib.sha256(json.dumps(flow, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:8]


def _wanted(steps: list[Representation], level: int = 0) -> Iterator[FlowStep]:
    for step in steps:
        name = step.get("subflow") or step["step"]
        yield FlowStep(
            level=level,
            step=name,
            is_subflow="subflow" in step,
            requirement=step["requirement"],
            config=tuple(sorted(step.get("config", {}).items())),
        )
        yield from _wanted(step.get("steps", []), level + 1)


def _read(alias: str, connection: RealmConnection) -> tuple[FlowStep, ...]:
    return tuple(
        FlowStep(
            level=line["level"],
            step=line["displayName"].rsplit(".", 1)[-1]
            if line.get("authenticationFlow")
            else line["providerId"],
            is_subflow=bool(line.get("authenticationFlow")),
            requirement=line["requirement"],
            config=_config(line, connection),
        )
        for line in _lines(alias, connection)
    )


def _same(read: tuple[FlowStep, ...], wanted: tuple[FlowStep, ...]) -> bool:
    """Whether a flow reads back as wanted; a setting that Keycloak masks is known by its name only."""
    return len(read) == len(wanted) and all(
        replace(left, config=()) == replace(right, config=())
        and dict(left.config).keys() == dict(right.config).keys()
        and all(value in (MASKED, dict(right.config)[key]) for key, value in left.config)
        for left, right in zip(read, wanted, strict=True)
    )


def _lines(alias: str, connection: RealmConnection) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = connection.get("authentication", "flows", alias, "executions")
    return lines


def _config(line: dict[str, Any], connection: RealmConnection) -> tuple[tuple[str, str], ...]:
    config_id = line.get("authenticationConfig")
    stored = connection.get("authentication", "config", config_id) if config_id else None
    return tuple(sorted((stored or {}).get("config", {}).items()))


def _build(
    alias: str, flow: Representation, wanted: tuple[FlowStep, ...], connection: RealmConnection
) -> None:
    top = {"alias": alias, "description": flow["description"], "providerId": "basic-flow"}
    connection.post("authentication", "flows", body=top | {"topLevel": True, "builtIn": False})
    _add_steps(alias, flow["steps"], connection)
    for line, step in zip(_lines(alias, connection), wanted, strict=True):
        if line["requirement"] != step.requirement:
            body = line | {"requirement": step.requirement}
            connection.put("authentication", "flows", alias, "executions", body=body)
        if step.config:
            body = {"alias": f"{alias} {line['id'][:8]}", "config": dict(step.config)}
            connection.post("authentication", "executions", line["id"], "config", body=body)
    if not _same(_read(alias, connection), wanted):
        raise FlowNotAsBuilt(
            f"The flow {alias} does not read back as realm-config/flows says: nothing was bound."
        )


def _add_steps(parent: str, steps: list[Representation], connection: RealmConnection) -> None:
    for step in steps:
        if "subflow" in step:
            alias = f"{parent}.{step['subflow']}"
            body = {"alias": alias, "type": "basic-flow", "provider": "", "description": ""}
            connection.post("authentication", "flows", parent, "executions", "flow", body=body)
            _add_steps(alias, step["steps"], connection)
        else:
            body = {"provider": step["step"]}
            connection.post("authentication", "flows", parent, "executions", "execution", body=body)
