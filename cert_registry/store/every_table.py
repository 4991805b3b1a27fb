"""`METADATA` with the tables of every room of the registry on it; migrations and tests start here."""

from typing import Final

from cert_registry.ingestion import tables as ingestion
from cert_registry.legal_persons import tables as legal_persons
from cert_registry.organisations import tables as organisations
from cert_registry.seals import tables as seals
from cert_registry.store import tables as core
from cert_registry.store.metadata import METADATA

ROOMS: Final = (core, organisations, legal_persons, ingestion, seals)
"""Importing a room's tables puts them on `METADATA`."""

__all__ = ["METADATA", "ROOMS"]
