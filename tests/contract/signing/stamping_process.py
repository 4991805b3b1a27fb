"""A process that stamps without end and prints each serial number; tests kill it.

Arguments: a state directory with a token.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from asn1crypto import tsp

from cert_registry.signing.pki.services import open_pki
from hsm_sim.softhsm import configure
from tests.fixtures_token import token_settings

_IMPRINT = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"\1" * 32}


def main() -> None:
    state = Path(sys.argv[1])
    configure(state)
    authority = open_pki(token_settings(state)).tsa
    query = tsp.TimeStampReq({"version": 1, "message_imprint": _IMPRINT}).dump()
    while True:
        answer = tsp.TimeStampResp.load(authority.respond(query, now=datetime.now(UTC)))
        info = answer["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
        sys.stdout.write(f"{info['serial_number'].native}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
