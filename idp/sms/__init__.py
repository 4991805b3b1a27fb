"""Messages to phones: codes with real limits, and the gateway that a demonstration shows on a page."""
