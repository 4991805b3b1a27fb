"""Sealed files over the years: which level they reached, until when they hold, and renewing them in time."""
