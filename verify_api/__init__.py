"""Checking and comparing e-certificates; one answer with its parts kept apart."""
