"""Back ends for the tests of connectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import samba
from tests.mariadb import MariaDBServer
from tests.nginx import NginxServer
from tests.postgres import PostgresServer
from tests.powerdns import PowerDNSServer
from tests.provisioning.connectors.mysql import MariaDBBackEnd
from tests.provisioning.connectors.nginx import NginxBackEnd
from tests.provisioning.connectors.powerdns import PowerDNSBackEnd
from tests.provisioning.connectors.support import PostgresBackEnd, SimulatorBackEnd
from tests.samba import SambaServer

if TYPE_CHECKING:
    from tests.provisioning.connectors.ad import DirectoryBackEnd


@pytest.fixture
def simulator(tmp_path: Path) -> SimulatorBackEnd:
    """A simulator in a file of the test's own."""
    return SimulatorBackEnd(tmp_path)


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> PostgresBackEnd:
    """The worker's shared server, as its superuser."""
    return PostgresBackEnd(postgres_server)


@pytest.fixture(scope="session")
def powerdns_server() -> Iterator[PowerDNSServer]:
    """A PowerDNS of the worker's own."""
    server = PowerDNSServer.start()
    yield server
    server.close()


@pytest.fixture
def powerdns(powerdns_server: PowerDNSServer) -> PowerDNSBackEnd:
    """The worker's shared server."""
    return PowerDNSBackEnd(powerdns_server)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDBServer]:
    """A MariaDB of the worker's own."""
    server = MariaDBServer.start()
    yield server
    server.close()


@pytest.fixture
def mariadb(mariadb_server: MariaDBServer) -> MariaDBBackEnd:
    """The worker's shared server."""
    return MariaDBBackEnd(mariadb_server)


@pytest.fixture(scope="session")
def nginx_server() -> Iterator[NginxServer]:
    """An nginx of the worker's own."""
    server = NginxServer.start()
    yield server
    server.close()


@pytest.fixture
def nginx(nginx_server: NginxServer) -> NginxBackEnd:
    """The worker's shared server, without sites."""
    for file in nginx_server.sites.iterdir():
        file.unlink()
    return NginxBackEnd(nginx_server)


@pytest.fixture(scope="session")
def samba_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaServer]:
    """A domain controller of the worker's own, with units and groups."""
    from tests.provisioning.connectors import ad

    server = SambaServer.start(samba.shared_directory(tmp_path_factory))
    try:
        ad.prepare(server)
        yield server
    finally:
        server.close()


@pytest.fixture
def directory(samba_server: SambaServer) -> DirectoryBackEnd:
    """The worker's shared domain controller."""
    from tests.provisioning.connectors.ad import DirectoryBackEnd

    return DirectoryBackEnd(samba_server)
