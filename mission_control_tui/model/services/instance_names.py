"""What one of several instances of a service may be called."""

from __future__ import annotations

from mission_control_tui.model.errors import InvalidInput, Problem
from mission_control_tui.model.text import limits
from mission_control_tui.model.text.characters import name_of, refused_in
from mission_control_tui.model.text.counting import counted


def check_instance(instance: str) -> None:
    """Raise InvalidInput where a new instance cannot be called so."""
    refused = refused_in(instance)
    if refused or len(instance) > limits.INSTANCE:
        what = (
            f"it has {name_of(refused)}"
            if refused
            else f"it has {counted(len(instance), 'character')}"
        )
        raise InvalidInput(
            "That is no name of an instance.",
            problems=[
                Problem("instance", what, f"give at most {limits.INSTANCE} that can be seen")
            ],
        )
