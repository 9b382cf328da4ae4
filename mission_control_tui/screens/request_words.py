"""Requests in words: what was asked, where it is, when it is tried again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.states import Light, RequestState
from mission_control_tui.widgets.light import light_parts

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue import Catalogue
    from mission_control_tui.model.views import RequestView
    from mission_control_tui.widgets.lines import Part

LIGHTS = {
    RequestState.WAITING: Light.ORANGE,
    RequestState.QUEUED: Light.ORANGE,
    RequestState.RUNNING: Light.ORANGE,
    RequestState.SUCCEEDED: Light.GREEN,
    RequestState.FAILED: Light.RED,
    RequestState.CANCELLED: Light.GREY,
    RequestState.SUPERSEDED: Light.GREY,
}


def state_parts(state: RequestState) -> tuple[Part, ...]:
    """The state with the light that goes with it."""
    return light_parts(LIGHTS[state], state.value.title())


def service_words(catalogue: Catalogue, request: RequestView) -> str:
    """The service as people call it; empty for a request about the user as a whole."""
    if not request.service_id:
        return ""
    try:
        return catalogue.service(request.service_id).name
    except NotFound:
        return request.service_id


def what_words(catalogue: Catalogue, request: RequestView) -> str:
    """What was asked for whom: `provision Managed Exchange for ada@acme.example`."""
    service = service_words(catalogue, request)
    return " ".join(filter(None, (request.kind, service, f"for {request.subject}")))


def next_words(request: RequestView, now: datetime | None = None) -> str:
    """When it is tried again, or what it waits for; empty when it has ended or is under way."""
    if request.state is RequestState.WAITING and request.waiting_for:
        return f"after {request.waiting_for}"
    if request.state is not RequestState.QUEUED or not request.next_try_at:
        return ""
    left = request.next_try_at - (now or datetime.now(UTC)).timestamp()
    return f"in {left:.0f} s" if left > 0 else "now"
