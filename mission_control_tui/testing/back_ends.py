"""A back end as the contract of connectors sees it: what it has, and how it is looked into past its connector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mission_control_tui.connect import PASSWORD as SETS_PASSWORDS
from mission_control_tui.connect import Declaration, DesiredState, Mark, Wish
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.testing.converging import (
    INSTALLATION,
    PASSWORD,
    key_of,
    new_installation,
    new_name,
    secret_id,
)


class BackEnd:
    """A back end that a test can look into past its connector. A subclass says what differs from here.

    `settings` is the connector's table; `small` and `large` are two levels, `limits` what they grant; `options` are
    settings that it keeps, `other_options` the same with other values; `half` is a step after which an object is half
    made, "" where there is one step.
    """

    service = "service"
    small, large = "small", "large"
    limits: Mapping[str, Mapping[str, object]] = {}
    options: Mapping[str, object] = {}
    other_options: Mapping[str, object] = {}
    attributes: Mapping[str, object] = {}
    half = ""
    settings: Mapping[str, object] = {}

    async def open(self, installation: str = INSTALLATION, **settings: object) -> Guarded:
        """Open the connector as the worker does, allowed to write."""
        table = {"mode": "enabled", "adopt": "allow", **self.settings, **settings}
        return await registry.load("back_end", table, installation)

    async def can_log_in(self, name: str, password: str) -> bool | None:
        """Tell whether one can log in to the object with this password; None where nothing can be logged in to."""
        return None

    async def written(self, name: str) -> object:
        """Return a value that differs after any write to the object."""
        raise NotImplementedError

    async def stop(self) -> bool:
        """Stop the server; False where there is none that could be stopped."""
        return False

    async def start(self) -> None:
        """Start the server again."""

    async def make_unadoptable(self, name: str) -> bool:
        """Make, past the connector, what cannot be taken over as a whole; False where nothing is like that."""
        return False

    def new_name(self) -> str:
        """Return a back-end name that no other test uses."""
        return new_name()

    def new_installation(self) -> str:
        """Return another installation's id."""
        return new_installation()

    def wish(
        self,
        name: str,
        state: Wish = Wish.PRESENT,
        level: str = "",
        *,
        generation: int = 1,
        attempt: int = 1,
        key: str = "",
        installation: str = INSTALLATION,
        secret: str | None = PASSWORD,
        epoch: int = 1,
        **more: Any,
    ) -> DesiredState:
        """Return a wish for `name`; its key is made from the name unless given."""
        grade = level or self.small
        mark = Mark(installation, key_of(key or name), generation, attempt, epoch)
        told: dict[str, Any] = {
            "limits": self.limits.get(grade, {}),
            "settings": self.options,
            "attributes": self.attributes,
            "secret": secret if self.sets_passwords else None,
            "secret_id": secret_id(secret),
        }
        return DesiredState(mark, self.service, name, state, grade, **{**told, **more})

    @property
    def sets_passwords(self) -> bool:
        """Whether the connector sets passwords."""
        return SETS_PASSWORDS in self.declares.capabilities

    @property
    def declares(self) -> Declaration:
        """What the connector says of itself."""
        raise NotImplementedError

    async def takes(self, name: str, password: str) -> None:
        """Fail unless one can log in."""
        assert await self.can_log_in(name, password) in (True, None)

    async def refuses(self, name: str, password: str) -> None:
        """Fail when one can log in."""
        assert await self.can_log_in(name, password) in (False, None)

    def needs(self, *capabilities: str) -> None:
        """Skip the test where the connector does not declare all of these."""
        for capability in capabilities:
            if capability not in self.declares.capabilities:
                pytest.skip(f"the connector does not declare {capability}")

    def needs_steps(self) -> None:
        """Skip the test where an object is made in one step."""
        if not self.half:
            pytest.skip("an object is made in one step")
