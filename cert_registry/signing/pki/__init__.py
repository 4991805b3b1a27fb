"""A public-key infrastructure of our own: signing certificates, CRLs, OCSP, time stamps."""
