"""``./longzheng seal …``: the life of seals for those who run the service.

Whoever may run this reads the database anyway, so `--as` is believed; each act is recorded as done by command line.
The rules are the pages': roles, two persons, states. Exit codes: 0 done, 1 refused by a rule, 2 bad usage or input,
3 a part is unavailable.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cert_registry.catalog.errors import CatalogError
from cert_registry.civil_date import CHINA, civil_date_at
from cert_registry.errors import ConfigurationError, RegistryError
from cert_registry.organisations.types import TypeSlug
from cert_registry.seals.command_text import event_document, lines_of, seal_document, use_document
from cert_registry.seals.errors import ApplicationRefused, SealKeyUnavailable, SealsError, UnknownSeal
from cert_registry.seals.images import check_picture
from cert_registry.seals.types import (
    CertificateSource,
    Channel,
    SealActor,
    SealApplication,
    SealId,
    SealKind,
)
from cert_registry.seals.using import UseFilter
from cert_registry.signing.errors import SigningError
from cert_registry.tlog.errors import TlogError
from cert_registry.types import DepartmentCode, StaffId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cert_registry.composition import RegistryRooms
    from cert_registry.seals.types import Seal

DONE, REFUSED, BAD_INPUT, UNAVAILABLE = range(4)
_DECISIONS: Final = ("approve", "refuse", "suspend", "resume", "revoke")


def main(
    argv: Sequence[str] | None = None,
    *,
    open_rooms: Callable[[], RegistryRooms] | None = None,
    now: datetime | None = None,
) -> int:
    """Run the command; returns the exit code.

    Args:
        argv: Arguments behind ``seal``.
        open_rooms: How the rooms are wired; by default `cert_registry.composition.open_registry`.
        now: The instant of the act; the clock's when not given.
    """
    options = _parser().parse_args(argv)
    try:
        rooms = (open_rooms or _open_wired_rooms)()
        document = options.run(rooms, options, now or datetime.now(UTC))
    except (UnknownSeal, ApplicationRefused, ConfigurationError, CatalogError) as error:
        return _fail(options.json, BAD_INPUT, error)
    except (SealKeyUnavailable, RegistryError, SigningError, TlogError) as error:
        return _fail(options.json, UNAVAILABLE, error)
    except SealsError as error:
        return _fail(options.json, REFUSED, error)
    if options.json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(lines_of(document)) + "\n")
    return DONE


# ── the verbs ──


def _list(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    del now
    codes = None if options.department is None else (options.department,)
    return {"seals": [seal_document(seal) for seal in rooms.seals.book.listed(codes)]}


def _show(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    del now
    seal = rooms.seals.book.find(options.seal)
    events = rooms.seals.book.events(seal.seal_id)
    return {**seal_document(seal), "events": [event_document(event) for event in events]}


def _apply(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    replaced = rooms.seals.book.find(options.seal) if options.verb == "replace" else None
    seal = rooms.seals.apply(_application(options, replaced, now), by=_actor(options), now=now)
    return seal_document(seal)


def _application(options: argparse.Namespace, replaced: Seal | None, now: datetime) -> SealApplication:
    """What the options say; a successor has of the old seal what they leave out."""
    types = (
        replaced.types
        if replaced is not None and options.types is None
        else frozenset(TypeSlug(each.strip()) for each in (options.types or "").split(",") if each.strip())
    )
    return SealApplication(
        department=replaced.department if replaced else DepartmentCode(options.department),
        name=options.name or (replaced.name if replaced else ""),
        kind=SealKind(options.kind)
        if options.kind
        else (replaced.kind if replaced else SealKind.CERTIFICATE),
        filing_number=options.filing_number or (replaced.filing_number if replaced else ""),
        types=types,
        valid_from=options.valid_from or civil_date_at(now),
        valid_to=options.valid_to,
        usage_limit=options.usage_limit,
        reason=options.reason,
        picture=None if options.picture is None else check_picture(_read(options.picture)),
        certificate_source=CertificateSource.LICENSED if options.licensed_ca else CertificateSource.OWN,
        replaces=replaced.seal_id if replaced else None,
    )


def _decide(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    act = getattr(rooms.seals, options.verb)
    seal: Seal = act(options.seal, options.reason, by=_actor(options), now=now)
    return seal_document(seal)


def _csr(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    """Write the certificate request to a file."""
    request = rooms.seals.request_certificate(options.seal, by=_actor(options), now=now)
    try:
        Path(options.out).write_bytes(request)
    except OSError as error:
        raise ApplicationRefused(f"无法写入 {options.out}。") from error
    return {**seal_document(rooms.seals.book.find(options.seal)), "request": options.out}


def _import(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    content = _read(options.certificate)
    seal = rooms.seals.import_certificate(options.seal, content, options.reason, by=_actor(options), now=now)
    return seal_document(seal)


def _compromised(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    """Stop the seal, revoke its certificate as of then, list what it sealed since, and what to seal again."""
    seal = rooms.seals.compromised(
        options.seal, options.reason, since=options.since, by=_actor(options), now=now
    )
    affected = rooms.seal_uses.sealed_since(seal.seal_id, options.since)
    return {
        **seal_document(seal),
        "since": options.since.isoformat(),
        "sealed_since": [
            {
                "identifier": one.identifier,
                "type": one.type_code,
                "issuer": one.issuer_code,
                "sealed_at": one.sealed_at.isoformat(),
                "reseal": one.is_to_be_resealed,
            }
            for one in affected
        ],
    }


def _uses(rooms: RegistryRooms, options: argparse.Namespace, now: datetime) -> dict[str, Any]:
    del now
    seal = rooms.seals.book.find(options.seal)
    wanted = UseFilter(since=options.since, until=options.until)
    uses = rooms.seal_uses.listed(SealId(seal.seal_id), wanted, limit=options.limit)
    return {
        "seal": seal.seal_id,
        "used": seal.used,
        "usage_limit": seal.usage_limit,
        "count": rooms.seal_uses.count(SealId(seal.seal_id), wanted),
        "uses": [use_document(use) for use in uses],
    }


# ── parts ──


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="longzheng seal", description="The life of seals (电子印章).")
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, run: Callable[..., dict[str, Any]], words: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=words, description=words)
        added.set_defaults(run=run)
        added.add_argument("--json", action="store_true", help="one JSON document on stdout")
        return added

    verb("list", _list, "all seals with their state").add_argument(
        "--department", help="of this department alone (credit code)"
    )
    verb("show", _show, "one seal with its life").add_argument("seal")
    applying = verb("apply", _apply, "apply for a new seal (申请)")
    applying.add_argument("--department", required=True, help="owner, by its credit code")
    _application_options(applying)
    replacing = verb("replace", _apply, "apply for the successor of a seal (更换)")
    replacing.add_argument("seal")
    _application_options(replacing)
    words = {
        "approve": "agree to an application; the second person's agreement makes key and certificate",
        "refuse": "refuse an application",
        "suspend": "stop a seal at once (紧急停用)",
        "resume": "let a stopped seal work again; takes two persons",
        "revoke": "end a seal and revoke its certificate as of now (注销)",
    }
    for name in _DECISIONS:
        deciding = verb(name, _decide, words[name])
        deciding.add_argument("seal")
        _acting_options(deciding)
    requesting = verb("csr", _csr, "certificate request for a licensed CA (PEM)")
    requesting.add_argument("seal")
    requesting.add_argument("--as", dest="staff", required=True, help="staff id of who asks")
    requesting.add_argument("--out", required=True, help="file to write")
    importing = verb("import-certificate", _import, "take in the certificate that a licensed CA issued")
    importing.add_argument("seal")
    importing.add_argument("certificate", help="PEM file")
    _acting_options(importing, reason="导入电子认证机构签发的证书")
    drill = verb("compromised", _compromised, "the key may be in other hands: stop, revoke, list, seal again")
    drill.add_argument("seal")
    drill.add_argument(
        "--since", required=True, type=_instant, help="from when on (ISO 8601, or a civil day)"
    )
    _acting_options(drill, reason="密钥可能已泄露")
    using = verb("uses", _uses, "what a seal was used for, newest first")
    using.add_argument("seal")
    using.add_argument("--since", type=_instant, help="from this instant on")
    using.add_argument("--until", type=_instant, help="before this instant")
    using.add_argument("--limit", type=int, default=100, help="rows at most")
    return parser


def _acting_options(parser: argparse.ArgumentParser, *, reason: str | None = None) -> None:
    parser.add_argument("--as", dest="staff", required=True, help="staff id of who decides")
    parser.add_argument(
        "--reason", required=reason is None, default=reason, help="why; kept in the seal's life"
    )


def _application_options(parser: argparse.ArgumentParser) -> None:
    _acting_options(parser)
    parser.add_argument("--name", help="the words of the seal")
    parser.add_argument("--kind", choices=[kind.value for kind in SealKind])
    parser.add_argument("--filing-number", help="公安备案号")
    parser.add_argument("--types", help="certificate types that it may seal, by slug, with commas")
    parser.add_argument("--valid-from", type=date.fromisoformat, help="first day (default: today)")
    parser.add_argument("--valid-to", type=date.fromisoformat, help="last day")
    parser.add_argument("--usage-limit", type=int, help="how many documents it may seal")
    parser.add_argument("--licensed-ca", action="store_true", help="the certificate comes from a licensed CA")
    parser.add_argument("--picture", help="SVG or PNG; without, the seal is drawn from its names")


def _actor(options: argparse.Namespace) -> SealActor:
    return SealActor(staff_id=StaffId(options.staff), channel=Channel.COMMAND_LINE)


def _instant(text: str) -> datetime:
    """An aware time; a civil day stands for its begin."""
    try:
        if len(text) == len("2026-01-01"):
            return datetime.combine(date.fromisoformat(text), time(), CHINA)
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 2026-11-22T08:00:00+08:00") from error
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} says no zone: write +08:00 behind it")
    return instant


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ApplicationRefused(f"无法读取 {path}。") from error


def _open_wired_rooms() -> RegistryRooms:
    # The composition imports every room; it is loaded only when the command really runs.
    composition = importlib.import_module("cert_registry.composition")
    rooms: RegistryRooms = composition.open_registry()
    return rooms


def _fail(as_json: bool, exit_code: int, error: Any) -> int:  # noqa: FBT001 - an option's value
    sentence, findings = str(error), getattr(error, "findings", ())
    if as_json:
        document: dict[str, Any] = {"error": error.code, "reason": sentence}
        if findings:
            document["findings"] = [{"field": field, "sentence": text} for field, text in findings]
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stderr.write(f"seal: {sentence}\n")
    for field, text in findings:
        sys.stderr.write(f"  {field}: {text}\n")
    return exit_code
