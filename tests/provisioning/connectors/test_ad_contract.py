"""The promises of the protocol, kept by ad on a real domain controller of Samba."""

from __future__ import annotations

import pytest

from mission_control_tui.testing.connectors import ConnectorContract
from tests.provisioning.connectors.ad import DirectoryBackEnd
from tests.samba import SambaServer


@pytest.mark.proof
class TestActiveDirectory(ConnectorContract):
    @pytest.fixture
    def back_end(self, samba_server: SambaServer) -> DirectoryBackEnd:
        return DirectoryBackEnd(samba_server)
