"""PowerDNS as a back end of the tests: its settings, its wishes, and a look past the connector."""

from __future__ import annotations

import os
import secrets
import uuid
from dataclasses import dataclass, replace
from typing import Any

from mission_control_tui.connect import DesiredState, Mark, Wish
from mission_control_tui.provisioning.connectors.powerdns.connector import DECLARES
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import INSTALLATION
from tests.powerdns import API_KEY, PowerDNSServer

CHOSEN: dict[str, Any] = {"name-servers": ["ns1.other.example", "ns2.other.example"]}
CHOSEN_OTHERWISE: dict[str, Any] = {"name-servers": ["ns2.other.example", "ns3.other.example"]}
OWN_SERVERS = ("ns1.provider.example", "ns2.provider.example")
RECORDS: list[dict[str, Any]] = [
    {"type": "MX", "content": ["10 mx.{dashed}.mail.example"], "levels": ["registered"]},
    {"type": "TXT", "content": ["v=spf1 include:spf.mail.example -all"]},
    {
        "name": "mc1._domainkey",
        "type": "CNAME",
        "content": ["mc1.{domain}.dkim.example."],
        "levels": ["registered"],
    },
    {"type": "A", "content": ["192.0.2.10"]},
    {"name": "www", "type": "AAAA", "content": ["2001:DB8::1"], "services": ["domain-*"]},
    {"name": "site", "type": "A", "content": ["{value}"], "option": "web-address", "ttl": 60},
    {"name": "never", "type": "A", "content": ["192.0.2.1"], "services": ["other"]},
]


def new_domain() -> str:
    """A domain that no other test uses."""
    return f"acme-{secrets.token_hex(5)}.example"


def domain_wish(
    name: str,
    state: Wish = Wish.PRESENT,
    level: str = "registered",
    *,
    generation: int = 1,
    attempt: int = 1,
    key: str = "",
    installation: str = INSTALLATION,
    **more: Any,
) -> DesiredState:
    """A wish for the zone of a domain; its key is made from the name unless given."""
    whose = key or uuid.uuid5(uuid.NAMESPACE_DNS, name).hex
    mark = Mark(installation, whose, generation, attempt)
    return DesiredState(mark, "domain-registration", name, state, level, **more)


@dataclass
class PowerDNSBackEnd(BackEnd):
    """A real server, with templates of every kind."""

    server: PowerDNSServer
    url: str = ""
    service = "domain-registration"
    small, large = "web", "web-large"
    options = CHOSEN
    other_options = CHOSEN_OTHERWISE
    declares = replace(DECLARES, options=frozenset({"name-servers", "web-address"}))

    def new_name(self) -> str:
        """A domain."""
        return new_domain()

    async def stop(self) -> bool:
        """Stop the server."""
        self.server.stop()
        return True

    async def start(self) -> None:
        """Start it again."""
        self.server.resume()

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        """Open the connector."""
        os.environ["TEST_POWERDNS_KEY"] = API_KEY
        table: dict[str, object] = {
            "type": "powerdns",
            "url": self.url or self.server.url,
            "api_key_env": "TEST_POWERDNS_KEY",
            "name_servers": [*OWN_SERVERS],
            "hostmaster": "host.master@provider.example",
            "soa": {"refresh": 7200, "minimum": 300},
            "records": RECORDS,
            "mode": "enabled",
            "adopt": "allow",
            **settings,
        }
        return await load("back_end", table, installation)

    async def can_log_in(self, name: str, password: str) -> bool:
        """Whether the zone is answered: there is no login."""
        return self.server.status(name) == "NOERROR"

    async def make_unadoptable(self, name: str) -> bool:
        """A secondary zone."""
        body = {"name": f"{name}.", "kind": "Slave", "masters": ["192.0.2.53"], "nameservers": []}
        self.server.api("POST", "/zones", body)
        return True

    async def written(self, name: str) -> object:
        """The zone with its serial, and its metadata."""
        return self.server.zone(name), self.server.metadata(name)
