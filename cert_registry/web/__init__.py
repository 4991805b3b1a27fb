"""The registry over HTTP: `/api/v1`, officer pages, citizen pages."""
