"""What a connector is opened with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from mission_control_tui.connect.secret_references import SecretReference
from mission_control_tui.connect.settings_reader import ENABLED, SettingsReader


async def no_pace() -> None:
    """Return at once: nothing limits how fast the back end is asked."""


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one connector: its name, its table of the settings file, and whose objects are ours.

    `installation` is what objects are marked with. `pace` is awaited before each call to the back end: it returns when
    the next one may be made, and raises ConnectorError (stale) when the act that it belongs to has run out of time.
    """

    name: str
    settings: Mapping[str, object]
    installation: str
    pace: Callable[[], Awaitable[None]] = no_pace
    secrets: list[SecretReference] = field(default_factory=list)
    """The secrets that the reader was asked for: whoever checks the connector looks at their files, too."""

    @property
    def enabled(self) -> bool:
        """Whether the settings allow writing."""
        return self.settings.get("mode") == ENABLED

    def reader(self) -> SettingsReader:
        """Return a reader of the table, which notes every problem."""
        return SettingsReader(self.name, self.settings, self.secrets)
