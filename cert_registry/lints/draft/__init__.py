"""Rules over a checked face, one a module; each module has one `LINT`."""
