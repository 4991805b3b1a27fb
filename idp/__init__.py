"""Real-name identity: who a person is, proved once, told to sites with care."""
