"""Rules over a rendered file, one a module; each module has one `LINT`."""
