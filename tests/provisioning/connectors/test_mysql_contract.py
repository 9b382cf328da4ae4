"""The promises of the protocol, kept by mysql on a real MariaDB."""

from __future__ import annotations

import pytest

from mission_control_tui.testing.connectors import ConnectorContract
from tests.mariadb import MariaDBServer
from tests.provisioning.connectors.mysql import MariaDBBackEnd


@pytest.mark.proof
class TestMariaDB(ConnectorContract):
    @pytest.fixture
    def back_end(self, mariadb_server: MariaDBServer) -> MariaDBBackEnd:
        return MariaDBBackEnd(mariadb_server)
