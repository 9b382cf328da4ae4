"""The table of verbs and an operator's own keys."""
