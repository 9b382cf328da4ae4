"""Screens, by family; a stylesheet stands beside its screen."""
