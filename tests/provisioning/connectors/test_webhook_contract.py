"""The promises of the protocol, kept by `webhook` with a server that knows nothing of Mission Control's code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_control_tui.testing.connectors import ConnectorContract
from tests.provisioning.connectors.webhook import WebhookBackEnd
from tests.web_service import WebService


@pytest.mark.proof
class TestWebhook(ConnectorContract):
    @pytest.fixture
    def back_end(self, tmp_path: Path) -> Iterator[WebhookBackEnd]:
        service = WebService(tmp_path / "objects.json").start()
        yield WebhookBackEnd(service)
        service.stop()
