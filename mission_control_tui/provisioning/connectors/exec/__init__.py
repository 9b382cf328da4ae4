"""A program of the administrator's own as a back end: JSON on its stdin, JSON on its stdout."""

from mission_control_tui.provisioning.connectors.exec.connector import create

__all__ = ["create"]
