"""Pages and endpoints of the real-name provider."""
