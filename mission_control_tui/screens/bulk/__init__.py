"""Screens on bulks."""
