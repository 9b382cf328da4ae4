"""From a job of the model to what a connector is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from mission_control_tui.connect.declaration import PASSWORD
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import DesiredState, ObservedState
from mission_control_tui.model.requests.attempts import Job, ServiceWish
from mission_control_tui.model.requests.drift import GreenAssignment
from mission_control_tui.model.requests.outcomes import Observation
from mission_control_tui.model.states import Wish
from mission_control_tui.model.store.tables.documents import StoredUsage
from mission_control_tui.provisioning.guard import Guarded

SEALED = ""
"""Stands for a password while there is only planning: that there is one matters, not what it is."""


def mark_of(job: Job, installation: str, attempt: int) -> Mark:
    """Return the mark that an attempt acts under: its own, or that of the orphan which it removes, newer by as much."""
    seen = job.orphan
    if seen is None:
        return Mark(installation, job.assignment_id, job.generation, attempt, job.epoch)
    return Mark(installation, seen.key, seen.generation, seen.attempt + attempt, seen.epoch)


def desired_state(job: Job, connector: Guarded, mark: Mark) -> DesiredState:
    """Return the wish, with `SEALED` in the place of a password that is to be delivered."""
    delivers = job.sealed is not None and takes_password(connector, job.wished)
    return state_of(
        job,
        job.wished,
        mark,
        secret=SEALED if delivers else None,
        secret_id=job.secret_id if delivers else "",
        adopt=job.adopt,
        as_is=job.as_is,
        retained=job.retained,
    )


def takes_password(connector: Guarded, wished: ServiceWish) -> bool:
    """Tell whether a password that waits is sent with this wish: the back end sets one, and something stays there."""
    return PASSWORD in connector.declares.capabilities and wished.wish is not Wish.ABSENT


def previous_state(job: Job, observed: ObservedState, mark: Mark) -> DesiredState:
    """Return the wish before, carrying the fence that the object has, so that only the object itself is compared."""
    found = observed.mark
    if found is not None and found.same_owner(mark):
        mark = found
    return state_of(job, job.previous, mark, adopt=job.adopt, retained=job.was_retained)


def observation(
    job: Job, observed: ObservedState, wished: ServiceWish | None = None
) -> Observation:
    """Return what was observed, for the model; `wished` is the wish that it agrees with, if any.

    An object of somebody else is none of ours: for the model it is absent.
    """
    foreign = observed.mark is not None and observed.mark.key != job.assignment_id
    agrees_gone = wished is not None and wished.wish is Wish.ABSENT and not job.retained
    if not observed.exists or foreign or agrees_gone:
        return Observation(Wish.ABSENT)
    level = wished.level_id if wished is not None else observed.level
    wish = observed.wish
    return Observation(
        wish,
        level if wish is not Wish.ABSENT else "",
        observed.external_id or job.external_id,
        measured(observed),
    )


def measured(observed: ObservedState) -> dict[str, StoredUsage]:
    """Return how much is used, each with the time of its measurement."""
    now = datetime.now(UTC)
    return {
        name: StoredUsage(
            value=usage.value,
            limit=usage.limit,
            unit=usage.unit,
            at=(usage.at or now).astimezone(UTC).isoformat(timespec="seconds"),
        )
        for name, usage in observed.usage.items()
    }


def with_password(desired: DesiredState, password: str) -> DesiredState:
    """Return the same wish with the password in clear: only for the call that delivers it."""
    return replace(desired, secret=password)


def state_of(
    told: Job | GreenAssignment,
    wished: ServiceWish,
    mark: Mark,
    *,
    secret: str | None = None,
    secret_id: str = "",
    adopt: bool = False,
    as_is: bool = False,
    retained: bool = False,
) -> DesiredState:
    """Return one wish for a service instance, as a connector is asked for it."""
    return DesiredState(
        mark=mark,
        service=told.service_id,
        name=told.backend_name,
        wish=wished.wish,
        level=wished.level_id if wished.wish is not Wish.ABSENT else "",
        settings=wished.settings,
        attributes=told.attributes,
        secret=secret,
        secret_id=secret_id,
        adopt=adopt,
        as_is=as_is,
        limits=wished.limits,
        disabled=told.disabled,
        retained=retained,
        external_id=told.external_id,
        token=told.token,
    )
