"""Mailboxes for Dovecot and Postfix in an SQL database: see docs/connectors.md."""

from mission_control_tui.provisioning.connectors.mail_sql.connector import create

__all__ = ["create"]
