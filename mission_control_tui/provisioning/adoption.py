"""Bringing in what exists: a back end is listed and looked at without writing, and rows are written once they agree."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mission_control_tui.connect.adoption import alters
from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.marks import Mark
from mission_control_tui.connect.protocol import (
    Change,
    ChangePlan,
    DesiredState,
    ObservedState,
)
from mission_control_tui.model.catalogue.in_force import current
from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.errors import (
    InvalidInput,
    NotAllLookedAt,
    NotFound,
    Problem,
    UsageError,
)
from mission_control_tui.model.onboarding.adoption import known_objects
from mission_control_tui.model.onboarding.adoption_guess import (
    KnownPerson,
    SeenObject,
    SubjectGuess,
    guess_subjects,
    people_called,
)
from mission_control_tui.model.onboarding.files.adoption_rows import AdoptionRow, RowAction, Whose
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.services.domain_terms import AUTO_RENEW
from mission_control_tui.model.states import (
    PAUSING_KINDS,
    RETRIED_KINDS,
    PlanAction,
    SubjectKind,
    Wish,
)
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import Reach
from mission_control_tui.model.text.differences import value_text
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.provisioning.drift import NO_FENCE
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.listing import FoundObject, found_at
from mission_control_tui.settings.settings import Settings

BRINGABLE = frozenset({SubjectKind.USER, SubjectKind.DOMAIN})
"""Whose services can be brought in."""
_CALLED = ("login", "upn", "primary_address", "mail", "domain")
WORDS_LIMIT = 500


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The rows of a scan. `elsewhere`: objects of accounts that were not looked at; `others`: of services that are
    not brought in.
    """

    rows: tuple[AdoptionRow, ...]
    elsewhere: int = 0
    others: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many objects there are of each kind of owner."""
        return Counter(row.whose for row in self.rows)


@dataclass(frozen=True, slots=True)
class Compared:
    """An object beside a wish for it."""

    observed: ObservedState
    plan: ChangePlan

    @property
    def altering(self) -> tuple[Change, ...]:
        """Return the changes that taking it over would make to what it has."""
        return tuple(change for change in self.plan.changes if alters(change))

    @property
    def refusal(self) -> str:
        """Return why there is no comparison, "" where there is one."""
        refused = self.plan.action is PlanAction.BLOCKED and not self.plan.observe_only
        return self.plan.reason if refused else ""


@dataclass
class Comparer:
    """Looks at objects of one service, no faster than the connector's settings allow; writes nothing."""

    backend: Guarded
    service: Service
    installation: str
    gate: asyncio.Semaphore
    _key: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def compare(
        self,
        row: AdoptionRow,
        level: str,
        settings: Mapping[str, object],
        facts: Mapping[str, object],
        *,
        wish: Wish = Wish.PRESENT,
        consented: bool = True,
    ) -> Compared:
        """Look at one object, with `consented` also where it may not be taken over. Raises ConnectorError."""
        desired = DesiredState(
            Mark(self.installation, self._key, 1, NO_FENCE),
            self.service.id,
            row.name,
            wish,
            level,
            self.service.validate_settings(level, settings),
            facts,
            adopt=True,
            limits=self.service.level(level).limits,
            external_id=row.external_id,
        )
        backend = self.backend.comparing() if consented else self.backend
        async with self.gate:
            return Compared(*await backend.look(desired))


def facts_for(
    row: AdoptionRow, service: Service, known: KnownPerson | None, primary: str
) -> dict[str, object]:
    """Return what a connector would be told of the subject of a row: a domain, a user who is here, or a new one."""
    if service.subject is SubjectKind.DOMAIN:
        return {"account": row.account, "domain": row.subject or row.name}
    held = (
        known.facts()
        if known is not None
        else {"upn": row.subject, "display_name": row.display_name}
    )
    addresses = list(known.addresses) if known is not None else [row.subject]
    keys = {lookup_key(address) for address in addresses}
    addresses += [alias for alias in row.aliases if lookup_key(alias) not in keys]
    if known is None:
        has = {lookup_key(address) for address in addresses}
        first = primary if primary and lookup_key(primary) in has else row.subject
        held |= {"primary_address": first, "domain": row.subject.rpartition("@")[2]}
    return {**held, "account": row.account, "addresses": addresses}


def called(name: str, observed: ObservedState) -> tuple[str, ...]:
    """Return the addresses and domains that an object says it is called by, the most telling first."""
    told = observed.attributes
    words = [str(told.get(key) or "") for key in _CALLED]
    addresses = told.get("addresses")
    words += [str(word) for word in addresses] if isinstance(addresses, (list, tuple)) else []
    return tuple(dict.fromkeys(word for word in words if "@" in word)) or (
        (name,) if "@" in name else ()
    )


def differences_text(changes: Sequence[Change]) -> str:
    """Return differences on one line: what, before and after."""
    said = "; ".join(
        f"{change.what}: {value_text(change.before)} -> {value_text(change.after)}"
        for change in changes
    )
    return said if len(said) <= WORDS_LIMIT else said[: WORDS_LIMIT - 3] + "..."


async def open_services(
    store: Store, backends: Backends, connector: str, settings: Settings, named: str | None
) -> tuple[Guarded, list[Service]]:
    """Return the connector, logged in, and the services of users and domains that it serves.

    Raises UsageError, NotFound, NotAllLookedAt.
    """
    if connector not in backends.names:
        raise NotFound(
            f"There is no connector {connector!r}.", hint=f"There are: {', '.join(backends.names)}."
        )
    catalogue = (await current(store)).catalogue
    services = [
        service
        for service in catalogue.services
        if connector in settings.serving(service.id, service.connector)
        and service.subject in BRINGABLE
    ]
    if named is not None:
        wanted = catalogue.service(named)
        services = [service for service in services if service.id == wanted.id]
    wholes = sorted(backends.holders(connector) - {connector})
    if not services and wholes:
        raise UsageError(
            f"Connector {connector} serves no service by itself: it is a part of {', '.join(wholes)}.",
            hint=f"Scan that: mission-control adopt scan {wholes[0]}",
        )
    if not services:
        raise UsageError(
            f"Connector {connector} serves no service of users or domains"
            + (f" that is called {named}." if named else "."),
            hint="[services] and [placement] in the settings say which connector serves what.",
        )
    try:
        backend = await backends.get(connector)
        await backend.check()
    except ConnectorError as error:
        raise unreachable(connector, error) from error
    return backend, services


def unreachable(connector: str, error: ConnectorError) -> NotAllLookedAt:
    """Return the error of a command that cannot look at a back end."""
    return NotAllLookedAt(
        "The back end cannot be looked at.",
        problems=[Problem(connector, error.said)],
        hint=error.remedy or "`mission-control doctor` checks every connector.",
    )


async def scan(
    reach: Reach,
    backends: Backends,
    connector: str,
    settings: Settings,
    *,
    service: str | None = None,
) -> ScanResult:
    """List what a back end has, with a guess whose it is and at which level; nothing is written anywhere.

    Of one account only what is called by its domains or is its own; of all accounts whatever there is.
    """
    store = reach.store
    backend, services = await open_services(store, backends, connector, settings, service)
    try:
        by_service, others = await found_at(store, backends, backend, services)
    except ConnectorError as error:
        raise unreachable(connector, error) from error
    gate = asyncio.Semaphore(backends.rates(connector).concurrency)
    rows: list[AdoptionRow] = []
    elsewhere = 0
    for found in services:
        comparer = Comparer(backend, found, backends.installation, gate)
        one = _Scan(reach, connector, comparer)
        rows += await one.rows(by_service[found.id])
        elsewhere += one.elsewhere
        others += one.others
    return ScanResult(tuple(rows), elsewhere, others)


@dataclass
class _Scan:
    reach: Reach
    connector: str
    comparer: Comparer
    elsewhere: int = 0
    others: int = 0

    @property
    def service(self) -> Service:
        return self.comparer.service

    async def rows(self, listed: Sequence[FoundObject]) -> list[AdoptionRow]:
        """Return a row for each of these objects."""
        store = self.reach.store
        names = [row.name for row in listed]
        known = await known_objects(store, self.connector, self.service.id, names)
        ids = {name: one.assignment_id for name, one in known.items()}
        mine = [row for row in listed if not row.known or ids.get(row.name) in row.known]
        self.others = len(listed) - len(mine)
        drafts = [self._draft(row) for row in mine]
        strange = [row for row in drafts if row.whose is not Whose.OURS]
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._first_look(row)) for row in strange]
        seen = {row.name: look.result() for row, look in zip(strange, looks, strict=True)}
        for found in seen.values():
            if isinstance(found, ConnectorError) and found.kind in PAUSING_KINDS | RETRIED_KINDS:
                raise unreachable(self.connector, found)
        objects = [SeenObject(row.name, self._called(row.name, seen[row.name])) for row in strange]
        guesses = await guess_subjects(self.reach, self.service, objects)
        addresses = [guess.subject for guess in guesses if "@" in guess.subject]
        async with self.reach.reading() as (session, within):
            people = await people_called(session, addresses)
        async with asyncio.TaskGroup() as group:
            made = [
                group.create_task(self._judged(row, seen[row.name], guess, people))
                for row, guess in zip(strange, guesses, strict=True)
                if not guess.elsewhere
            ]
        self.elsewhere = sum(guess.elsewhere for guess in guesses)
        of_one = within.account_id is not None
        ours = [
            row
            for row in drafts
            if row.whose is Whose.OURS
            and (not of_one or known[row.name].account_id == within.account_id)
        ]
        others = [task.result() for task in made]
        if of_one:
            self.elsewhere += sum(not row.account for row in others)
            others = [row for row in others if row.account]
        return sorted([*ours, *others], key=lambda row: row.name)

    def _draft(self, row: FoundObject) -> AdoptionRow:
        whose = Whose.OURS if row.known else _whose(row, self.comparer.installation)
        lacking = f"missing in {', '.join(row.missing)}" if row.missing else ""
        return AdoptionRow(
            self.connector,
            self.service.id,
            row.name,
            external_id=row.external_id,
            whose=whose,
            level=row.first.level if row.known else "",
            state=str(row.first.state or ""),
            problem=lacking,
        )

    def _called(self, name: str, seen: Compared | ConnectorError) -> tuple[str, ...]:
        if self.service.subject is SubjectKind.DOMAIN:
            return (name,)
        return called(name, seen.observed) if isinstance(seen, Compared) else ()

    async def _first_look(self, row: AdoptionRow) -> Compared | ConnectorError:
        level = self.service.levels[0].id
        try:
            return await self.comparer.compare(
                row, level, {}, facts_for(row, self.service, None, "")
            )
        except ConnectorError as error:
            return error

    async def _judged(
        self,
        draft: AdoptionRow,
        seen: Compared | ConnectorError,
        guess: SubjectGuess,
        people: Mapping[str, KnownPerson],
    ) -> AdoptionRow:
        try:
            return await self._row(draft, seen, guess, people)
        except ConnectorError as error:
            return replace(draft, account=guess.account, problem=error.said)

    async def _row(
        self,
        draft: AdoptionRow,
        seen: Compared | ConnectorError,
        guess: SubjectGuess,
        people: Mapping[str, KnownPerson],
    ) -> AdoptionRow:
        if isinstance(seen, ConnectorError):
            return replace(draft, account=guess.account, problem=draft.problem or seen.said)
        observed = seen.observed
        words = called(draft.name, observed)
        person = people.get(lookup_key(guess.subject)) if "@" in guess.subject else None
        own = lookup_key(guess.subject) if "@" in guess.subject else ""
        row = replace(
            draft,
            account=guess.account,
            subject=guess.subject,
            instance=guess.instance,
            display_name=str(observed.attributes.get("display_name") or ""),
            aliases=tuple(word for word in words if lookup_key(word) != own) if own else (),
            external_id=observed.external_id or draft.external_id,
            state=str(observed.wish),
            keeps=", ".join(observed.kept),
            problem=draft.problem or observed.unadoptable or guess.problem,
        )
        facts = facts_for(row, self.service, person, _primary(observed))
        best = await self._best_level(row, observed, facts)
        if best is None:
            return replace(row, problem=row.problem or "no level of the catalogue can be compared")
        level, settings = best
        if any(option.id == AUTO_RENEW for option in self.service.options_for(level)):
            # Renewing is paid for: what was brought in does it once somebody says so.
            settings = {**settings, AUTO_RENEW: False}
        compared = await self.comparer.compare(row, level, settings, facts, wish=_wish(observed))
        problem = row.problem or compared.refusal
        as_it_is = not (problem or compared.altering) and row.whose == Whose.UNMARKED
        return replace(
            row,
            level=level,
            settings=settings,
            differences=differences_text(compared.altering),
            problem=problem,
            action=RowAction.ADOPT if as_it_is and row.subject else RowAction.LEAVE,
        )

    async def _best_level(
        self, row: AdoptionRow, observed: ObservedState, facts: Mapping[str, object]
    ) -> tuple[str, dict[str, object]] | None:
        """Return the level that changes least, with the settings that say what the object has."""
        best: tuple[int, int, int] | None = None
        chosen: tuple[str, dict[str, object]] | None = None
        levels = self.comparer.backend.declares.levels
        for rank, level in enumerate(self.service.levels):
            if level.withdrawn or (levels is not None and level.id not in levels):
                continue
            compared = await self.comparer.compare(row, level.id, {}, facts, wish=_wish(observed))
            if compared.refusal:
                continue
            stated = self._stated(level.id, compared)
            left = sum(
                change.what.removeprefix("settings.") not in stated for change in compared.altering
            )
            score = (left, len(stated), rank)
            if best is None or score < best:
                best, chosen = score, (level.id, stated)
        return chosen

    def _stated(self, level: str, compared: Compared) -> dict[str, object]:
        stated: dict[str, object] = {}
        for change in compared.altering:
            name = change.what.removeprefix("settings.")
            if name == change.what or change.before in (None, "", []):
                continue
            try:
                self.service.validate_settings(level, {name: change.before})
            except (InvalidInput, NotFound):
                continue
            stated[name] = change.before
        return stated


def _whose(row: FoundObject, installation: str) -> Whose:
    """Return whose an object is that no service here has: somebody else's where any part of it is."""
    marks = [each.mark for each in row.parts.values()]
    if any(mark is not None and mark.installation != installation for mark in marks):
        return Whose.FOREIGN
    return Whose.ORPHAN if any(marks) else Whose.UNMARKED


def _wish(observed: ObservedState) -> Wish:
    return Wish.SUSPENDED if observed.wish is Wish.SUSPENDED else Wish.PRESENT


def _primary(observed: ObservedState) -> str:
    return str(observed.attributes.get("primary_address") or "")
