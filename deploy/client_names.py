"""Writes what people call the sites and services at which they sign in, and what these are told, for people's own history."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from deploy.configuration import Configuration
from deploy.number_rights import replace_whole
from deploy.site_files import CLAIMS

_WHOLE_SCOPE: Final = "realname"
"""The scope whose mappers are all the claims; a site has those of its file by itself."""


def write_client_names(configuration: Configuration, clients: Iterable[Mapping[str, Any]]) -> None:
    """Replaces the file whole; an installation that was configured before there was one goes without."""
    file = configuration.section("idp").get("client_names_file")
    if file:
        told = {
            client["clientId"]: {"name": client["name"], "claims": claims_told(client)}
            for client in clients
            if client.get("name")
        }
        replace_whole(Path(str(file)), told)


def claims_told(client: Mapping[str, Any]) -> list[str]:
    """Which claims about a person Keycloak tells this client, beside the subject."""
    if _WHOLE_SCOPE in client.get("defaultClientScopes", ()):
        return list(CLAIMS)
    own = {mapper["name"] for mapper in client.get("mappers", ())}
    return [claim for claim in CLAIMS if claim in own]
