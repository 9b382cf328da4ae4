"""Commands on the audit and undo."""
