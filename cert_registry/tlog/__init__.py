"""The transparency log: C2SP tlog-tiles with signed checkpoints, on plain files."""
