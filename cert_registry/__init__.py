"""The registry of e-certificates: issuing, sealing, state, stock, transparency log."""
