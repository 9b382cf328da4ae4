"""Mailboxes served by a web service of the tests' own, behind the connector `webhook`."""

from __future__ import annotations

from tests.provisioning.connectors import json_objects
from tests.provisioning.support import World
from tests.support import LOOPBACK, free_port
from tests.web_service import SECRET, WebService

SETTINGS = """
[connectors.hosting]
type = "webhook"
url = "{url}"
secret_file = "{secret}"
mode = "enabled"
[connectors.hosting.declares]
fence = "conditional"
capabilities = {capabilities}
options = "any"
attributes = "any"
usage = ["storage"]
availability = true
[connectors.hosting.declares.limits.quota_mb]
low = 1
high = 1000
[[connectors.hosting.declares.parts]]
name = "account"
[[connectors.hosting.declares.parts]]
name = "mailbox"
carries = ["limits.*"]
[services]
managed-exchange = "hosting"
"""


def hosted(world: World, service: WebService) -> str:
    """Let a web service serve the mailboxes; returns where the worker takes callbacks."""
    secret = world.directory / "webhook.secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    address = f"{LOOPBACK}:{free_port()}"
    capabilities = str(json_objects.DECLARES["capabilities"]).replace("'", '"')
    more = SETTINGS.format(url=service.url, secret=secret, capabilities=capabilities)
    world.configure(callbacks=address, more=more.splitlines())
    return address
