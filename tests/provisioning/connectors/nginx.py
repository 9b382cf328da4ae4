"""The shipped sites of nginx behind `exec`, as a back end of the tests."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mission_control_tui.connect import Declaration, DesiredState, Wish
from mission_control_tui.connect.messages import DeclarationMessage
from mission_control_tui.examples import nginx_sites
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import INSTALLATION
from tests.nginx import NginxServer

PROGRAM = Path(nginx_sites.__file__)


def domain_of(name: str) -> str:
    """The domain that a test's site answers to."""
    return f"{name.replace('_', '-')}.acme.example"


@dataclass
class NginxBackEnd(BackEnd):
    """A real server; each site has a domain made from its name unless a test says otherwise."""

    server: NginxServer
    service = "web-hosting"
    attributes = {"domain": "acme.example"}  # noqa: RUF012 - the suite only reads it
    options = {"domain": "www.acme.example"}  # noqa: RUF012 - the same
    other_options = {"domain": "other.acme.example"}  # noqa: RUF012 - the same

    @property
    def declares(self) -> Declaration:
        """What the program says of itself."""
        return msgspec.convert(nginx_sites.DECLARES, DeclarationMessage).declaration()

    def table(self, **settings: object) -> dict[str, object]:
        """The connector's table."""
        server = self.server
        return {
            "type": "exec",
            "program": [sys.executable, str(PROGRAM)],
            "mode": "enabled",
            "adopt": "allow",
            "configuration": {
                "directory": str(server.sites),
                "roots": str(server.roots),
                "listen": [server.address],
                "address": server.address,
                "nginx": server.command,
                "reload": [str(server.directory / "reload")],
            },
            **settings,
        }

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        """Open the connector."""
        return await load("back_end", self.table(**settings), installation)

    def wish(
        self, name: str, state: Wish = Wish.PRESENT, level: str = "", **more: Any
    ) -> DesiredState:
        """A wish for the site of a domain of its own."""
        more.setdefault("settings", {"domain": domain_of(name)})
        return super().wish(name, state, level, **more)

    async def stop(self) -> bool:
        """Stop the server."""
        self.server.stop()
        return True

    async def start(self) -> None:
        """Start it again."""
        self.server.resume()

    async def can_log_in(self, name: str, password: str) -> bool:
        """Whether the site is served: there is no login."""
        return self.server.get(domain_of(name))[0] == 200

    async def make_unadoptable(self, name: str) -> bool:
        """A file with two servers."""
        one = f"server {{ listen {self.server.address}; server_name a.%s b.%s; return 204; }}\n"
        domain = domain_of(name)
        text = one.replace("%s", domain) + one.replace("%s", f"2.{domain}")
        (self.server.sites / f"{name}.conf").write_text(text)
        return True

    async def written(self, name: str) -> object:
        """The site's file with the moment of its last change, and what else there is of it."""
        found = []
        for file in sorted(self.server.directory.glob(f"*/*{name}*")):
            text = file.read_text() if file.is_file() else ""
            found.append((file.name, text, file.stat().st_mtime_ns, file.stat().st_ino))
        return found
