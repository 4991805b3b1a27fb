"""Writes which sites may be told an ID number, from their files, for the real-name room (`idp.number_rights`)."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from deploy.configuration import Configuration
from deploy.site_files import Site


def write_number_rights(configuration: Configuration, sites: Iterable[Site]) -> None:
    """Replaces the file whole; a site that is not listed has no right from the next question on."""
    path = Path(str(configuration.section("idp")["number_rights_file"]))
    rights = {
        site.site_id: {
            "site_name": site.name,
            "legal_basis": site.id_number.legal_basis,
            "purposes": dict(site.id_number.purposes),
            "return_to": site.id_number.return_to,
        }
        for site in sites
        if site.id_number is not None
    }
    replace_whole(path, rights)


def replace_whole(path: Path, document: object) -> None:
    """Writes a JSON file that its reader sees whole, old or new; readable by its owner only."""
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
