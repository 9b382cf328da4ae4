"""The audit as people read it, its export, and undo."""
