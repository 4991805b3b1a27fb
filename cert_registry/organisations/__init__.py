"""Organisations: a dated tree of departments, and the staff, seals and rights that hang on it."""
