"""Requests in words: what was asked, where it is, when it is tried again."""

from __future__ import annotations

from datetime import UTC, datetime

from mission_control_tui.model.catalogue.lookup import known, name_of
from mission_control_tui.model.catalogue.types import Catalogue, Service
from mission_control_tui.model.errors import NotFound
from mission_control_tui.model.states import Light, RequestKind, RequestState
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.views import RequestView
from mission_control_tui.widgets.light import light_parts
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

ASK_FOR_A_LEVEL = frozenset({RequestKind.PROVISION, RequestKind.CHANGE})
"""What the other kinds ask for leaves the level as it is, or takes it away."""


def state_parts(state: RequestState) -> tuple[Part, ...]:
    """Return the state with the light that goes with it."""
    return light_parts(LIGHTS[state], state.value.title())


def service_words(catalogue: Catalogue, request: RequestView) -> str:
    """Return the service as people call it; empty for a request about the user as a whole."""
    name = name_of(catalogue.services, request.service_id) if request.service_id else ""
    return with_instance(name, request.instance)


def level_words(catalogue: Catalogue, request: RequestView) -> str:
    """Return the level that was asked for; empty where the request asked for none."""
    if request.kind not in ASK_FOR_A_LEVEL or not request.level_id:
        return ""
    try:
        service = catalogue.service(request.service_id)
        return service.level(request.level_id).name.removeprefix(f"{service.name} - ")
    except NotFound:
        return request.level_id


def what_words(catalogue: Catalogue, request: RequestView) -> str:
    """Return what was asked for whom: `provision Managed Exchange: PC & Web Access for ada@acme.example`."""
    wanted = ": ".join(
        filter(None, (service_words(catalogue, request), level_words(catalogue, request)))
    )
    return " ".join(filter(None, (request.kind, wanted, f"for {request.subject}")))


def row_words(catalogue: Catalogue, request: RequestView) -> str:
    """Return the same, short: `provision ada PC & Web Access`; the service is named where its levels do not tell it.

    What tells an instance from others comes first: it must not be cut.
    """
    service, level = _service(catalogue, request), level_words(catalogue, request)
    name = service.name if service is not None else request.service_id
    if level and service is not None:
        told = any(offered.name.startswith(f"{name} - ") for offered in service.levels)
        name = "" if told else name
    whom = request.subject.partition("@")[0]
    instance = f"({request.instance})" if request.instance else ""
    return " ".join(filter(None, (request.kind, whom, instance, name, level)))


def _service(catalogue: Catalogue, request: RequestView) -> Service | None:
    """Return the service of a request; None where it has none, or one that the catalogue no longer has."""
    return known(catalogue.services, request.service_id)


def next_words(request: RequestView, now: datetime | None = None) -> str:
    """Return when it is tried again, or what it waits for; empty when it has ended or is under way."""
    if request.state is RequestState.WAITING and request.waiting_for:
        return f"after {request.waiting_for}"
    if request.state is not RequestState.QUEUED or not request.next_try_at:
        return ""
    left = request.next_try_at - (now or datetime.now(UTC)).timestamp()
    return f"in {left:.0f} s" if left > 0 else "now"
