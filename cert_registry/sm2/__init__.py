"""SM2 signatures over SM3: algorithms' names, public keys, and the one door to OpenSSL's libcrypto."""
