"""The verbs on a user, one class each: check, apply, title, words."""
