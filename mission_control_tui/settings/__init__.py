"""Typed settings, and the file that they stand in."""
