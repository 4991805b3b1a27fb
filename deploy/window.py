"""`./longzheng window`: who may prove people at a counter, with dates and the document that grants it."""

import argparse
import json
from datetime import UTC, date, datetime, timedelta, timezone

from deploy.configuration import Configuration, load
from deploy.errors import BadUsage, ExitCode
from deploy.locations import state_directory
from deploy.progress import say
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import MalformedNumber
from idp.settings import Settings
from idp.store.database import migrate, open_database
from idp.store.window_grants import WindowGrant, WindowGrants

_CIVIL_TIME = timezone(timedelta(hours=8))


def main(arguments: list[str]) -> int:
    """Grants, ends or lists; every grant stays on record."""
    chosen = _parser().parse_args(arguments)
    grants = open_grants(load(state_directory()))
    if chosen.act == "grant":
        grant_id = grants.add(_grant(chosen), now=datetime.now(UTC))
        say(f"Grant {grant_id}: {chosen.staff_id} at {chosen.office} from {chosen.valid_from}")
        return int(ExitCode.DONE)
    if chosen.act == "end":
        ended = grants.end(chosen.staff_id, last_day=chosen.last_day)
        say(f"{ended} grants of {chosen.staff_id} end on {chosen.last_day}")
        return int(ExitCode.DONE if ended else ExitCode.NEGATIVE)
    _list(grants, as_json=chosen.json)
    return int(ExitCode.DONE)


def open_grants(configuration: Configuration) -> WindowGrants:
    """The grants of the real-name room's database, brought up to date."""
    engine = open_database(Settings.from_mapping(configuration.section("idp")).database_url)
    migrate(engine)
    return WindowGrants(engine)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no day; write it as 2026-01-31") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="longzheng window", description="Who may prove people at a counter."
    )
    acts = parser.add_subparsers(dest="act", required=True)
    grant = acts.add_parser("grant", help="grant the right to one member of staff")
    grant.add_argument("staff_id")
    grant.add_argument("--department", required=True, help="unified social credit code")
    grant.add_argument("--office", required=True, help="name of the counter, as people know it")
    grant.add_argument("--from", dest="valid_from", type=_day, required=True)
    grant.add_argument("--to", dest="valid_to", type=_day, help="last day, included")
    grant.add_argument("--basis", required=True, help="number of the document that grants it")
    grant.add_argument("--by", required=True, help="who grants it")
    end = acts.add_parser("end", help="end the right of one member of staff")
    end.add_argument("staff_id")
    end.add_argument("--last-day", type=_day, default=datetime.now(_CIVIL_TIME).date())
    listing = acts.add_parser("list", help="every grant ever recorded")
    listing.add_argument("--json", action="store_true", help="one JSON document")
    return parser


def _grant(chosen: argparse.Namespace) -> WindowGrant:
    try:
        department = parse_credit_code(chosen.department).code
    except MalformedNumber as error:
        raise BadUsage(f"--department is no unified social credit code: {error}") from error
    if chosen.valid_to is not None and chosen.valid_to < chosen.valid_from:
        raise BadUsage("--to lies before --from.")
    return WindowGrant(
        grant_id=0,
        staff_id=chosen.staff_id,
        department_code=department,
        office=chosen.office,
        valid_from=chosen.valid_from,
        valid_to=chosen.valid_to,
        basis=chosen.basis,
        granted_by=chosen.by,
    )


def _list(grants: WindowGrants, *, as_json: bool) -> None:
    rows = [
        {
            "grant": one.grant_id,
            "staff_id": one.staff_id,
            "department": one.department_code,
            "office": one.office,
            "from": one.valid_from.isoformat(),
            "to": None if one.valid_to is None else one.valid_to.isoformat(),
            "basis": one.basis,
            "by": one.granted_by,
        }
        for one in grants.all()
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        until = row["to"] or "open"
        print(
            f"{row['grant']:>4}  {row['staff_id']}  {row['office']}  {row['from']} to {until}  {row['basis']}"
        )
