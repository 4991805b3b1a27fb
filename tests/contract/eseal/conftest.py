"""The second implementation that e-seals are compared with."""

from tests.peers.ofdrw.harness import ofdrw as ofdrw  # noqa: PLC0414 - a fixture to hand on
