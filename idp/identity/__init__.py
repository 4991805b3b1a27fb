"""What every room may know of identity: numbers, names, levels, holder references, access tokens."""
