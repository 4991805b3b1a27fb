"""The face check (实人核验): a provider's interface in signed messages, and the simulator that speaks it."""
