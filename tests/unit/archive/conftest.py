"""The token of the session."""

import archive_rooms  # noqa: F401 - puts the shared helpers on the path
from fixtures_token import ceremony_state as ceremony_state  # noqa: PLC0414 - a fixture to hand on
