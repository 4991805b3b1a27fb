"""What this room does at Keycloak: accounts that a proof froze or raised, and sign-in to its own pages."""
