"""MariaDB as a back end of the tests: its settings, and a look past the connector."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pymysql

from mission_control_tui.provisioning.connectors.mysql import MariaDB
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import INSTALLATION
from tests import mariadb
from tests.mariadb import MariaDBServer
from tests.provisioning.connectors.support import LIMITS

REFUSED = {1044, 1045, 1049, 1142, 4151}


@dataclass
class MariaDBBackEnd(BackEnd):
    """A real server; `user` and `password` are who the connector is."""

    server: MariaDBServer
    user: str = MariaDBServer.user
    password: str = mariadb.PASSWORD
    port: int | None = None
    service = "databases"
    limits = LIMITS
    half = "account"
    declares = MariaDB.declares

    def table(self, **settings: object) -> dict[str, object]:
        """The connector's table, with the password in the environment."""
        os.environ["TEST_MARIADB_PASSWORD"] = self.password
        return {
            "type": "mysql",
            "host": self.server.host,
            "port": self.port or self.server.port,
            "user": self.user,
            "password_env": "TEST_MARIADB_PASSWORD",
            "mode": "enabled",
            "adopt": "allow",
            **settings,
        }

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        """Open the connector."""
        return await load("back_end", self.table(**settings), installation)

    async def stop(self) -> bool:
        """Stop the server."""
        self.server.stop()
        return True

    async def start(self) -> None:
        """Start it again."""
        self.server.resume()

    async def can_log_in(self, name: str, password: str, database: str = "") -> bool:
        """Whether the user can open a database, its own unless told."""
        try:
            connection = self.server.connect(name, password, database=database or name)
        except pymysql.MySQLError as error:
            if error.args[0] in REFUSED:
                return False
            raise
        connection.close()
        return True

    async def written(self, name: str) -> object:
        """The user as the server keeps it, its rights, its database, and our row."""
        has_table = self.server.execute(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = 'mission_control'"
        )
        return [
            self.server.execute(
                "SELECT Host, Priv FROM mysql.global_priv WHERE User = %s", (name,)
            ),
            self.server.execute("SELECT * FROM mysql.db WHERE User = %s", (name,)),
            self.server.execute("SHOW DATABASES LIKE %s", (name.replace("_", r"\_"),)),
            self.server.execute("SELECT * FROM mission_control.objects WHERE name = %s", (name,))
            if has_table
            else [],
        ]
