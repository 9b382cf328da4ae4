"""Screens on a user's services: their panels and what a change takes away."""
