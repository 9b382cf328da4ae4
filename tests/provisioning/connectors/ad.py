"""A domain controller as a back end of the tests: its settings, and a look past the connector."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mission_control_tui.connect import DesiredState, Wish
from mission_control_tui.provisioning.connectors.ad import ActiveDirectory
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import INSTALLATION
from tests import samba
from tests.samba import BASE, SambaServer

UNIT = f"OU=Customers,{BASE}"
REMOVED = f"OU=Removed,{BASE}"
GROUPS = f"OU=Groups,{BASE}"
SMALL, LARGE, STAFF = (f"CN={name},{GROUPS}" for name in ("small", "large", "staff"))
_PASSING = {
    *("lastLogon", "lastLogonTimestamp", "badPwdCount", "badPasswordTime", "logonCount"),
    *("lastLogoff",),
}


def prepare(server: SambaServer) -> None:
    """Make units and groups, once for a server."""
    for unit in (UNIT, REMOVED, GROUPS):
        server.add(unit, ["top", "organizationalUnit"])
    for group in (SMALL, LARGE, STAFF):
        name = group.partition(",")[0].removeprefix("CN=")
        server.add(group, ["top", "group"], sAMAccountName=name)


@dataclass
class DirectoryBackEnd(BackEnd):
    """A real server; `user` and `password` are who the connector is."""

    server: SambaServer
    user: str = samba.ADMINISTRATOR
    password: str = samba.PASSWORD
    address: str = ""
    more: Mapping[str, object] = field(default_factory=dict)
    service = "directory-account"
    limits = {"small": {"groups": [SMALL]}, "large": {"groups": [LARGE, STAFF]}}  # noqa: RUF012 - the suite only reads it
    declares = ActiveDirectory.declares

    def table(self, **settings: object) -> dict[str, object]:
        """The connector's table, with the password in the environment."""
        os.environ["TEST_AD_PASSWORD"] = self.password
        return {
            "type": "ad",
            "host": self.address or self.server.address,
            "user": self.user,
            "password_env": "TEST_AD_PASSWORD",
            "ca_file": str(self.server.certificates / "ca.pem"),
            "base": BASE,
            "unit": UNIT,
            "levels": self.limits,
            "mode": "enabled",
            "adopt": "allow",
            **self.more,
            **settings,
        }

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        """Open the connector."""
        return await load("back_end", self.table(**settings), installation)

    def wish(
        self, name: str, state: Wish = Wish.PRESENT, level: str = "", **more: Any
    ) -> DesiredState:
        """Return a wish for a user whose UPN is made from the name."""
        told = {"upn": f"{name}@acme.example", **more.pop("attributes", {})}
        return super().wish(name, state, level, attributes=told, **more)

    async def stop(self) -> bool:
        """Stop the server."""
        self.server.stop()
        return True

    async def start(self) -> None:
        """Start it again."""
        self.server.resume()

    async def can_log_in(self, name: str, password: str) -> bool:
        """Whether the user can log in by UPN."""
        return self.server.can_log_in(f"{name}@acme.example", password)

    async def make_unadoptable(self, name: str) -> bool:
        """Make a group of this name."""
        self.server.add(f"CN={name},{UNIT}", ["top", "group"], sAMAccountName=name)
        return True

    async def written(self, name: str) -> object:
        """The account as the server keeps it, but for what logins leave, and who is in the groups."""
        entry = self.server.user(name)
        kept = {key: value for key, value in (entry or {}).items() if key not in _PASSING}
        return kept, self.server.find("(objectClass=group)", "member", base=GROUPS)
