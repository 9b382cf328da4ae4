"""The verbs on a user by their stored names."""

from __future__ import annotations

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.users.actions.base import UserAction, service_title
from mission_control_tui.model.users.actions.disable import Disable, Enable
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.actions.password import Password
from mission_control_tui.model.users.actions.provision import Change, Provision
from mission_control_tui.model.users.actions.wish import Deprovision, Resume, Suspend

ACTIONS: dict[str, UserAction] = {
    action.verb: action
    for action in (
        Provision(),
        Change(),
        Suspend(),
        Resume(),
        Deprovision(),
        Disable(),
        Enable(),
        Password(),
    )
}


def title(catalogue: Catalogue, verb: str, params: ActionParams) -> str:
    """Return the verb in words, also one that only a later version has."""
    action = ACTIONS.get(verb)
    return (
        service_title(verb, catalogue, params)
        if action is None
        else action.title(catalogue, params)
    )
