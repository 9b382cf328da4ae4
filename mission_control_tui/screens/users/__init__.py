"""Screens on users: list, form, card, lights, recycling bin, paste, templates."""
