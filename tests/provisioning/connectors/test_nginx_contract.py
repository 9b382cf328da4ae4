"""The promises of the protocol, kept by the shipped sites of nginx behind `exec`, on a real nginx."""

from __future__ import annotations

import pytest

from mission_control_tui.testing.connectors import ConnectorContract
from tests.provisioning.connectors.nginx import NginxBackEnd


@pytest.mark.proof
class TestNginxSites(ConnectorContract):
    @pytest.fixture
    def back_end(self, nginx: NginxBackEnd) -> NginxBackEnd:
        return nginx
