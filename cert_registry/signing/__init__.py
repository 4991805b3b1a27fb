"""Keys, certificates and seals: the only room that reaches the PKCS#11 token."""
