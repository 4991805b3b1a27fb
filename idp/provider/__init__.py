"""The OpenID provider that Keycloak brokers to."""
