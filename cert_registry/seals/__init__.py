"""Seals (电子印章) as objects with a life: applied for, approved by two, active, stopped, replaced or revoked."""
