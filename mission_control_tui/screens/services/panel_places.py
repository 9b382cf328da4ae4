"""Where a service is: of several connectors one can be chosen, and of a composite each part has a state of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mission_control_tui.model.services.part_states import PartState, newest_steps, part_states
from mission_control_tui.model.states import Wish
from mission_control_tui.model.views import AssignmentView
from mission_control_tui.screens.base.context import Context
from mission_control_tui.widgets.field import ChoiceField

BY_RULE = "as the settings say"


@dataclass(frozen=True, slots=True)
class PanelPlace:
    """The connectors that one can choose from, none where there is no choice; how far each part is, and where it is."""

    choices: tuple[str, ...] = ()
    parts: Mapping[str, PartState] = field(default_factory=dict)
    parts_at: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Return how far the parts are, as one line; "" of what has none."""
        said = (f"{part} ({self.parts_at[part]}) {state}" for part, state in self.parts.items())
        return f"Parts: {', '.join(said)}" if self.parts else ""


NO_PLACE = PanelPlace()
"""Of a service that one connector serves as a whole."""


async def places_of(context: Context, views: Sequence[AssignmentView]) -> dict[str, PanelPlace]:
    """Return where each service is by its id, "" for what is not there yet, and what one can choose from."""
    settings = context.settings
    parts = {view.id: settings.parts_of(view.connector) for view in views if view.id}
    asked = [view.id for view in views if view.id and parts[view.id]]
    steps = await newest_steps(context.scope, asked) if asked else {}
    return {
        view.id or view.service_id: PanelPlace(
            () if view.marked else choices_of(context, view.service_id),
            part_states(view, parts.get(view.id, {}), steps.get(view.id, ())),
            parts.get(view.id, {}),
        )
        for view in views
    }


def choices_of(context: Context, service: str) -> tuple[str, ...]:
    """Return the connectors that one can choose from for a service of the account; none where there is no choice."""
    placed = context.settings.placement.get(service)
    if placed is None or context.account.is_sample or len(placed.connectors) < 2:
        return ()
    return tuple(placed.connectors)


def to_choose_from(context: Context, service: str) -> PanelPlace:
    """Return the place of what is not there yet."""
    return PanelPlace(choices_of(context, service))


def place_field(view: AssignmentView, place: PanelPlace, id: str) -> ChoiceField:
    """Return the field of the connector; it is not shown where there is no choice."""
    found = ChoiceField(
        "Connector",
        (),
        help_text="Which of several connectors serves it. Of what is there, Move brings it to the one that is chosen.",
        id=id,
    )
    show_place(found, view, place)
    return found


def show_place(shown: ChoiceField, view: AssignmentView, place: PanelPlace) -> None:
    """Let the field offer the connectors: at first that of what is given, or else none, so that the rule chooses."""
    given = view.wish is not Wish.ABSENT
    names = [(name, name) for name in place.choices]
    if not given:
        names.insert(0, ("", BY_RULE))
    elif view.connector not in place.choices:
        names.insert(0, (view.connector, view.connector))
    shown.set_choices(names)
    shown.value = view.connector if given else ""
    shown.display = bool(place.choices)
