"""Writes what people call the sites and services at which they sign in, for their own history in the real-name room."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deploy.configuration import Configuration
from deploy.number_rights import replace_whole


def write_client_names(configuration: Configuration, clients: Iterable[Mapping[str, Any]]) -> None:
    """Replaces the file whole; an installation that was configured before there was one goes without."""
    file = configuration.section("idp").get("client_names_file")
    if file:
        names = {client["clientId"]: client["name"] for client in clients if client.get("name")}
        replace_whole(Path(str(file)), names)
