"""What speaks the JSON messages as a back end of the tests, whatever carries them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from mission_control_tui.connect import Declaration
from mission_control_tui.connect.messages import DeclarationMessage
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import load
from mission_control_tui.testing.back_ends import BackEnd
from mission_control_tui.testing.converging import INSTALLATION
from tests.provisioning.connectors import json_objects


class JsonBackEnd(BackEnd):
    """The objects of `json_objects` in a file, behind the connector of the settings table."""

    limits = {"small": {"quota_mb": 5}, "large": {"quota_mb": 50}}  # noqa: RUF012 - the suite only reads it
    options = {"color": "red"}  # noqa: RUF012 - the same
    other_options = {"color": "blue"}  # noqa: RUF012 - the same
    half = json_objects.PARTS[0]

    def __init__(self, file: Path, settings: Mapping[str, object]) -> None:
        self.file = file
        self.settings = settings

    @property
    def declares(self) -> Declaration:
        """What the back end says of itself."""
        return msgspec.convert(json_objects.DECLARES, DeclarationMessage).declaration()

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        """Open the connector."""
        table = {"mode": "enabled", "adopt": "allow", **self.settings, **settings}
        return await load("back_end", table, installation)

    async def can_log_in(self, name: str, password: str) -> bool:
        """Whether the password is the object's, which is not suspended."""
        found = (await self.kept()).get(name)
        kept = hashlib.sha256(password.encode()).hexdigest()
        return bool(found and found["password"] == kept and found["state"] == "present")

    async def written(self, name: str) -> object:
        """All that is kept of the object."""
        return (await self.kept()).get(name)

    async def kept(self) -> dict[str, dict[str, object]]:
        """All objects, past the connector."""
        return dict(json.loads(self.file.read_text())) if self.file.exists() else {}
