"""`./longzheng sites`: which sites may sign people in, what their files would change, and what somebody changed.

`plan` tells what `apply` would do, with a digest over everything that is there and everything that is wanted; an
`apply` that is given this digest does exactly that, or nothing when either side has moved since.
"""

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from deploy import realm
from deploy.configuration import Configuration, load
from deploy.errors import DeployError, ExitCode
from deploy.locations import state_directory
from deploy.realm_changes import Change
from deploy.realm_keys import ClientKeys
from deploy.realm_settings import read_sites
from deploy.site_files import Site


class PlanOutdated(DeployError):
    """The realm or a file is not any more as it was when the plan was made."""

    code = "plan-outdated"
    exit_code = ExitCode.NEGATIVE


def main(arguments: list[str]) -> int:
    """Exit 0 done, 1 there is drift or the plan is outdated, 2 a file is wrong, 3 Keycloak does not answer."""
    chosen = _parser().parse_args(arguments)
    acts: dict[str, Callable[[Configuration, argparse.Namespace], int]] = {
        "check": _check,
        "plan": _plan,
        "apply": _apply,
        "drift": _drift,
    }
    return acts[chosen.act](load(state_directory()), chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="longzheng sites", description="Sites that sign people in.")
    acts = parser.add_subparsers(dest="act", required=True)
    for act, says in (
        ("check", "read the files of realm-config/sites/ and list the sites; asks nobody"),
        ("plan", "what apply would change"),
        ("apply", "change it"),
        ("drift", "what in the running realm is not as the files say"),
    ):
        one = acts.add_parser(act, help=says)
        one.add_argument("--json", action="store_true", help="one JSON document")
        if act == "apply":
            one.add_argument("--plan", metavar="DIGEST", help="only what the plan with this digest said")
    return parser


def _check(configuration: Configuration, chosen: argparse.Namespace) -> int:
    sites = read_sites(configuration, ClientKeys.of(configuration))
    if chosen.json:
        _print([_row(site) for site in sites])
    else:
        for site in sites:
            claims = ", ".join(site.claims) or "nothing but a subject"
            print(f"{site.site_id}  {site.name}  from {site.assurance}, {site.strength}  receives {claims}")
    return int(ExitCode.DONE)


def _row(site: Site) -> dict[str, Any]:
    return asdict(site) | {"kind": site.kind.value}


def _plan(configuration: Configuration, chosen: argparse.Namespace) -> int:
    _tell(realm.reconcile_sites(configuration, write=False), chosen, done=False)
    return int(ExitCode.DONE)


def _apply(configuration: Configuration, chosen: argparse.Namespace) -> int:
    if chosen.plan is not None:
        found = digest_of(realm.reconcile_sites(configuration, write=False))
        if found != chosen.plan:
            raise PlanOutdated(
                f"The plan {chosen.plan[:12]} is outdated: what there is to do now has the digest {found}. Look at"
                " ./longzheng sites plan again. Nothing was changed."
            )
    _tell(realm.reconcile_sites(configuration, write=True), chosen, done=True)
    return int(ExitCode.DONE)


def _drift(configuration: Configuration, chosen: argparse.Namespace) -> int:
    changes = realm.reconcile_sites(configuration, write=False)
    strangers = realm.strange_clients(configuration)
    if chosen.json:
        _print({"differs": [_change(one) for one in changes], "in_no_file": list(strangers)})
    else:
        for change in changes:
            print(f"not as its file says: {_sentence(change)}")
        for client in strangers:
            print(f"in no file: client {client}")
        if not changes and not strangers:
            print("The running realm is as the files say.")
    return int(ExitCode.NEGATIVE if changes or strangers else ExitCode.DONE)


def _tell(changes: list[Change], chosen: argparse.Namespace, *, done: bool) -> None:
    if chosen.json:
        _print({"changes": [_change(one) for one in changes], "digest": digest_of(changes), "applied": done})
        return
    for change in changes:
        print(_sentence(change))
    if not changes:
        print("Nothing to change.")
    elif not done:
        print(f"./longzheng sites apply --plan {digest_of(changes)}")


def _sentence(change: Change) -> str:
    shown = "".join(
        f"\n    {one.place}: {one.now or '(nothing)'} -> {one.then or '(nothing)'}" for one in change.shown
    )
    return f"{change}{shown}"


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "kind": change.kind,
        "name": change.name,
        "fields": list(change.fields),
        "values": [asdict(one) for one in change.shown],
    }


def digest_of(changes: list[Change]) -> str:
    """A digest over the changes in their order, with what is there and what is wanted."""
    rows = [(one.action.value, one.kind, one.name, one.fields, one.mark) for one in changes]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


def _print(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))
