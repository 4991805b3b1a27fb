"""A PKCS#11 token to develop with, and the key ceremony."""
