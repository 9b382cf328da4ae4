"""Loading the edited file of a scan: each object is looked at again, then rows are written slice by slice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mission_control_tui.connect.errors import ConnectorError
from mission_control_tui.connect.protocol import Change
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.domains.names import normalise
from mission_control_tui.model.errors import InvalidInput, MissionControlError, NoSeats, Problem
from mission_control_tui.model.onboarding.adoption import (
    Bringing,
    bring_in,
    known_objects,
    require_seats,
)
from mission_control_tui.model.onboarding.adoption_guess import (
    KnownPerson,
    domain_of,
    owners_of,
    people_called,
)
from mission_control_tui.model.onboarding.files.adoption_rows import AdoptionRow, RowAction
from mission_control_tui.model.onboarding.import_slices import breathe
from mission_control_tui.model.people.address_syntax import lookup_key
from mission_control_tui.model.plan import Plan
from mission_control_tui.model.states import PAUSING_KINDS, RETRIED_KINDS, SubjectKind, Wish
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.provisioning.adoption import (
    Compared,
    Comparer,
    called,
    facts_for,
    open_services,
    unreachable,
)
from mission_control_tui.provisioning.backends import Backends
from mission_control_tui.settings.settings import Settings

SLICE = 20
"""Rows of one transaction."""


@dataclass(frozen=True, slots=True)
class LoadedRow:
    """What becomes of a row: `verdict` is adopted, changed, unchanged, left or refused. `keeps` is what stays."""

    row: AdoptionRow
    verdict: str
    differences: tuple[Change, ...] = ()
    keeps: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What became of all rows, in the file's order; what is to be `written` was only tried where it was not agreed."""

    rows: tuple[LoadedRow, ...]
    written: bool
    warnings: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many rows there are of each verdict."""
        return Counter(row.verdict for row in self.rows)

    @property
    def changes(self) -> Mapping[str, int]:
        """Return how often each thing is changed, over all rows that are brought in."""
        return Counter(
            change.what
            for row in self.rows
            if row.verdict == "changed"
            for change in row.differences
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return all problems, in the order of the rows."""
        return tuple(problem for row in self.rows for problem in row.problems)


@dataclass
class Loading:
    """One file on its way. `account` limits it to one account."""

    store: Store
    caller: Caller
    backends: Backends
    settings: Settings
    account: str = ""
    progress: Callable[[int, int], None] | None = None
    _done: dict[int, LoadedRow] = field(default_factory=dict)
    _ready: dict[str, list[tuple[Bringing, Compared]]] = field(default_factory=dict)
    _scopes: dict[str, AccountScope] = field(default_factory=dict)
    _plans: list[Plan] = field(default_factory=list)
    _warnings: list[str] = field(default_factory=list)

    async def run(self, rows: Sequence[AdoptionRow], *, write: bool) -> LoadResult:
        """Look at every object that a row brings in, then write, or only try to.

        The same file again goes on: what is in already is unchanged. Raises NotAllLookedAt where a back end cannot be
        reached, and NoSeats where it is written and seats are missing, both before anything is written.
        """
        groups: dict[tuple[str, str], list[AdoptionRow]] = {}
        for row in rows:
            if row.problems:
                self._refuse(row, *row.problems)
            elif row.action in (RowAction.LEAVE, RowAction.REMOVE):
                self._done[row.row] = LoadedRow(row, "left")
            elif await self._account_of(row):
                groups.setdefault((row.connector, row.service), []).append(row)
        for (connector, service), some in groups.items():
            await self._look_at(connector, service, some)
        for code, ready in self._ready.items():
            try:
                await require_seats(self._scopes[code], [one for one, _ in ready])
            except NoSeats as error:
                if write:
                    raise
                self._warnings.append(str(error))
        total = sum(map(len, self._ready.values()))
        for code, ready in self._ready.items():
            await self._write(self._scopes[code], ready, total, write=write)
        return LoadResult(
            tuple(self._done[row.row] for row in rows),
            write,
            (*self._warnings, *(said for plan in self._plans for said in plan.warnings)),
            tuple(number for plan in self._plans for number in plan.requests),
        )

    def _refuse(self, row: AdoptionRow, *problems: Problem, seen: Compared | None = None) -> None:
        differences = seen.altering if seen is not None else ()
        self._done[row.row] = LoadedRow(row, "refused", differences, problems=problems)

    async def _account_of(self, row: AdoptionRow) -> bool:
        """Tell whether the row's account can be worked on; a row whose account cannot is refused."""
        code = row.account.casefold()
        if not code or not row.subject:
            heading = "Account" if not code else "User or Domain"
            self._refuse(row, row.at(heading, "is missing", "say whose it is, or leave it"))
            return False
        if self.account and code != self.account:
            hint = "load it with --all-accounts, or with that --account"
            self._refuse(row, row.at("Account", f"{code} is not {self.account}", hint))
            return False
        if code not in self._scopes:
            scope = AccountScope(self.store, self.caller, code)
            try:
                await scope.account_id()
            except MissionControlError as error:
                self._refuse(row, row.at("Account", error.what, error.hint))
                return False
            self._scopes[code] = scope
        return True

    async def _look_at(self, connector: str, service: str, rows: Sequence[AdoptionRow]) -> None:
        try:
            backend, services = await open_services(
                self.store, self.backends, connector, self.settings, service
            )
        except MissionControlError as error:
            if error.problems:
                raise
            for row in rows:
                self._refuse(row, row.at("Service", error.what, error.hint))
            return
        gate = asyncio.Semaphore(self.backends.rates(connector).concurrency)
        comparer = Comparer(backend, services[0], self.backends.installation, gate)
        async with self.store.read() as session:
            people = await people_called(session, [row.subject for row in rows])
        checked = [row for row in rows if self._cells_are_right(row, comparer)]
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._compare(row, comparer, people)) for row in checked]
        found = [look.result() for look in looks]
        for seen in found:
            if isinstance(seen, ConnectorError) and seen.kind in PAUSING_KINDS | RETRIED_KINDS:
                raise unreachable(connector, seen)
        names = [row.name for row in checked]
        known = await known_objects(self.store, connector, comparer.service.id, names)
        words = {row.name: _words(row, seen) for row, seen in zip(checked, found, strict=True)}
        async with self.store.read() as session:
            domains = {domain_of(word) for some in words.values() for word in some}
            owners = await owners_of(session, domains)
        for row, seen in zip(checked, found, strict=True):
            if isinstance(seen, ConnectorError):
                self._refuse(row, row.at("", seen.said, seen.remedy))
                continue
            account_id = await self._scopes[row.account.casefold()].account_id()
            held = known.get(row.name)
            if held is not None and held.settled and held.account_id == account_id:
                self._done[row.row] = LoadedRow(row, "unchanged", keeps=seen.observed.kept)
                continue
            foreign = [
                word
                for word in words[row.name]
                if owners.get(domain_of(word), account_id) != account_id
            ]
            if foreign:
                what = f"the back end calls it {foreign[0]}, in a domain of another account"
                self._refuse(
                    row, row.at("Account", what, "leave it, or bring it into that account")
                )
            else:
                self._judge(row, comparer, seen)

    def _cells_are_right(self, row: AdoptionRow, comparer: Comparer) -> bool:
        service = comparer.service
        try:
            level = service.level(row.level).id
        except MissionControlError as error:
            self._refuse(row, row.at("Level", error.what, error.hint))
            return False
        try:
            service.validate_settings(level, row.settings)
        except InvalidInput as error:
            said = [
                row.at("Settings", f"{problem.where} {problem.what}".strip(), problem.hint)
                for problem in error.problems
            ]
            self._refuse(row, *(said or [row.at("Settings", error.what, error.hint)]))
            return False
        if service.subject is SubjectKind.DOMAIN and _domain(row.subject) != _domain(row.name):
            what = f"{row.subject} is not the domain {row.name}"
            self._refuse(row, row.at("User or Domain", what, "a zone is its domain's own"))
            return False
        return True

    async def _compare(
        self, row: AdoptionRow, comparer: Comparer, people: Mapping[str, KnownPerson]
    ) -> Compared | ConnectorError:
        service, level = comparer.service, comparer.service.level(row.level).id
        person = people.get(lookup_key(row.subject)) if "@" in row.subject else None
        try:
            facts = facts_for(row, service, person, "")
            first = await comparer.compare(row, level, row.settings, facts, consented=False)
            told = first.observed.attributes
            facts = facts_for(row, service, person, str(told.get("primary_address") or ""))
            wish = Wish.SUSPENDED if first.observed.wish is Wish.SUSPENDED else Wish.PRESENT
            return await comparer.compare(
                row, level, row.settings, facts, wish=wish, consented=False
            )
        except ConnectorError as error:
            return error

    def _judge(self, row: AdoptionRow, comparer: Comparer, seen: Compared) -> None:
        observed = seen.observed
        if not observed.exists:
            said = row.at("Native Name", f"{row.name} is not at the back end", "scan it again")
            self._refuse(row, said)
        elif seen.refusal:
            self._refuse(row, row.at("", seen.refusal, seen.plan.remedy))
        elif row.action is RowAction.ADOPT and seen.altering:
            words = ", ".join(sorted({change.what for change in seen.altering}))
            hint = "say what it has in Level and Settings, or write change as its Action"
            self._refuse(
                row, row.at("Action", f"taking it over would change {words}", hint), seen=seen
            )
        else:
            one = Bringing(
                row,
                comparer.service,
                comparer.service.level(row.level).id,
                suspended=observed.wish is Wish.SUSPENDED,
                primary=str(observed.attributes.get("primary_address") or ""),
                external_id=observed.external_id,
            )
            self._ready.setdefault(row.account.casefold(), []).append((one, seen))

    async def _write(
        self,
        scope: AccountScope,
        ready: Sequence[tuple[Bringing, Compared]],
        total: int,
        *,
        write: bool,
    ) -> None:
        """Write, or try, all rows of an account; who was refused for the sake of a later row is tried once more."""
        seen = {one.row.row: compared for one, compared in ready}
        left = [one for one, _ in ready]
        for _ in range(2):
            refused: list[Bringing] = []
            progressed = False
            for start in range(0, len(left), SLICE):
                part = left[start : start + SLICE]
                begun = time.monotonic()
                outcome = await bring_in(scope, part, dry_run=not write)
                if write and self.store.is_sqlite:
                    await breathe(time.monotonic() - begun)
                self._plans.append(outcome.plan)
                for one in part:
                    progressed |= self._note(
                        one, seen[one.row.row], outcome.result.refused, outcome.result.unchanged
                    )
                refused += [one for one in part if one.row.row in outcome.result.refused]
                if self.progress is not None:
                    self.progress(len(self._done), len(self._done) + total)
            left = refused
            if not (write and left and progressed):
                break

    def _note(
        self,
        one: Bringing,
        seen: Compared,
        refused: Mapping[int, tuple[Problem, ...]],
        unchanged: Sequence[int],
    ) -> bool:
        number = one.row.row
        if number in refused:
            self._refuse(one.row, *refused[number], seen=seen)
            return False
        verdict = "unchanged" if number in unchanged else "changed" if seen.altering else "adopted"
        kept = seen.observed.kept
        self._done[number] = LoadedRow(one.row, verdict, seen.altering, kept)
        return True


def _words(row: AdoptionRow, seen: Compared | ConnectorError) -> tuple[str, ...]:
    return called(row.name, seen.observed) if isinstance(seen, Compared) else ()


def _domain(name: str) -> str:
    try:
        return normalise(name)
    except InvalidInput:
        return name
