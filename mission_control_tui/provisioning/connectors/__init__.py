"""Connectors, found through the entry-point group ``mission_control_tui.connectors``."""
