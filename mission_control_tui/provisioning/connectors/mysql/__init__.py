"""MariaDB: a user and a database on a real server for each service instance."""

from mission_control_tui.provisioning.connectors.mysql.connector import MariaDB, create

__all__ = ["MariaDB", "create"]
