"""Deleting, restoring, purging."""
