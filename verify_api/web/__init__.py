"""The verify room over HTTP: the API for departments and the public page."""
