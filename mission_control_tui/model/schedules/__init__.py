"""Wishes with a date."""
