"""Screens on accounts: details, statements, switching."""
