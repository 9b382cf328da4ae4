"""The promises of the protocol, kept by every connector that is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.testing.connectors import ConnectorContract
from tests.postgres import PostgresServer
from tests.powerdns import PowerDNSServer
from tests.provisioning.connectors.powerdns import PowerDNSBackEnd
from tests.provisioning.connectors.support import PostgresBackEnd, SimulatorBackEnd


class TestSimulator(ConnectorContract):
    @pytest.fixture
    def back_end(self, tmp_path: Path) -> SimulatorBackEnd:
        return SimulatorBackEnd(tmp_path)


@pytest.mark.proof
class TestPostgreSQL(ConnectorContract):
    @pytest.fixture
    def back_end(self, postgres_server: PostgresServer) -> PostgresBackEnd:
        return PostgresBackEnd(postgres_server)


@pytest.mark.proof
class TestPowerDNS(ConnectorContract):
    @pytest.fixture
    def back_end(self, powerdns_server: PowerDNSServer) -> PowerDNSBackEnd:
        return PowerDNSBackEnd(powerdns_server)
