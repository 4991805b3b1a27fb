"""Fixtures of the catalogue's contract tests."""

from tests.fixtures_verapdf import verapdf as verapdf  # noqa: PLC0414 (a fixture is taken over by its name)
