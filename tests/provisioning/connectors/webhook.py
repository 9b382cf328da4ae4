"""A web service behind `webhook`, as a back end of the tests."""

from __future__ import annotations

import os

from tests.provisioning.connectors import json_objects
from tests.provisioning.connectors.json_back_end import JsonBackEnd
from tests.web_service import SECRET, WebService


class WebhookBackEnd(JsonBackEnd):
    """A server of the test's own."""

    def __init__(self, service: WebService) -> None:
        os.environ["TEST_WEBHOOK_SECRET"] = SECRET
        self.web = service
        super().__init__(
            service.file,
            {
                "type": "webhook",
                "url": service.url,
                "secret_env": "TEST_WEBHOOK_SECRET",
                "declares": json_objects.DECLARES,
            },
        )

    async def stop(self) -> bool:
        """Stop the server."""
        self.web.stop()
        return True

    async def start(self) -> None:
        """Start it again."""
        self.web.start()
