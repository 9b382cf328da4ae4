"""Connectors, one a file, found through the entry-point group ``mission_control_tui.connectors``."""
