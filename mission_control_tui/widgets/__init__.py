"""Widgets: one kind a file."""
