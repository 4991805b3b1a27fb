"""What the real-name provider remembers: persons, proofs, visits, messages, throttles, codes."""
