"""The verbs on a user by their stored names: every class that a module of this package has."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

from mission_control_tui.model.catalogue.types import Catalogue
from mission_control_tui.model.users import actions
from mission_control_tui.model.users.actions.base import UserAction, service_title
from mission_control_tui.model.users.actions.params import ActionParams


def _verbs() -> Iterator[UserAction]:
    for found in pkgutil.iter_modules(actions.__path__, f"{actions.__name__}."):
        for value in vars(import_module(found.name)).values():
            is_verb = inspect.isclass(value) and issubclass(value, UserAction)
            if is_verb and value.__module__ == found.name and not inspect.isabstract(value):
                yield value()


ACTIONS: dict[str, UserAction] = {
    action.verb: action for action in sorted(_verbs(), key=lambda action: action.place)
}
SCHEDULABLE: dict[str, UserAction] = {
    verb: action
    for verb, action in sorted(ACTIONS.items(), key=lambda item: not item[1].of_service)
    if action.schedulable
}
"""Those that can be done at a date, the verbs on services first."""


def title(catalogue: Catalogue, verb: str, params: ActionParams) -> str:
    """Return the verb in words, also one that only a later version has."""
    action = ACTIONS.get(verb)
    if action is None:
        return service_title(verb, catalogue, params)
    return action.title(catalogue, params)
