"""PostgreSQL: a role and a database on a real server for each service instance."""

from mission_control_tui.provisioning.connectors.postgresql.connector import PostgreSQL, create

__all__ = ["PostgreSQL", "create"]
