"""A web service of the administrator's own as a back end: signed JSON over HTTPS."""

from mission_control_tui.provisioning.connectors.webhook.connector import create

__all__ = ["create"]
