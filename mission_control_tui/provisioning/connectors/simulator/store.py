"""The simulated back end's file: SQLite with objects, fences, used-up failures and the ledger.

Every act is one IMMEDIATE transaction that holds the effect, its ledger rows, the fence and the
count of used-up failures, so that a process that is killed leaves all of them or none. A connection
lives for one call, so that the file may be removed between calls to start over.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mission_control_tui.connect import (
    Applied,
    ChangePlan,
    ConnectorError,
    DesiredState,
    ErrorKind,
    ObservedState,
    Page,
    Part,
    Wish,
    step_to_do,
)
from mission_control_tui.provisioning.connectors.simulator.objects import (
    SimulatedObject,
    effects_of,
    marked,
    password_hash,
)
from mission_control_tui.provisioning.connectors.simulator.rules import (
    BEFORE,
    ExistingObject,
    SimulatorRule,
)

SCHEMA_VERSION = 2
CACHE_KIB = 256
BUSY_SECONDS = 10.0

_SCHEMA = (
    """CREATE TABLE object (
        service TEXT NOT NULL, name TEXT NOT NULL, installation TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (service, name))""",
    """CREATE TABLE fence (
        service TEXT NOT NULL, name TEXT NOT NULL, installation TEXT NOT NULL, key TEXT NOT NULL,
        generation INTEGER NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 1,
        PRIMARY KEY (service, name, installation, key))""",
    """CREATE TABLE used (
        rule TEXT NOT NULL, service TEXT NOT NULL, key TEXT NOT NULL, times INTEGER NOT NULL,
        PRIMARY KEY (rule, service, key))""",
    """CREATE TABLE ledger (
        effect_id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, service TEXT NOT NULL,
        name TEXT NOT NULL, key TEXT NOT NULL, generation INTEGER NOT NULL,
        attempt INTEGER NOT NULL, step TEXT NOT NULL, effect TEXT NOT NULL, detail TEXT NOT NULL)""",
)

_UPGRADES = {1: "ALTER TABLE fence ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1"}
"""What brings a file of this version to the next one."""

Planner = Callable[[DesiredState, ObservedState], ChangePlan]
PAGE = 500
_EXISTING = "(existing)"
"""The rule, for the count of what is used up, of objects that were there already."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One row of the ledger. `effect` is created, changed, removed, adopted or password set.

    `detail` lists (what, before, after) of what changed; no secret is in it.
    """

    effect_id: int
    at: datetime
    service: str
    name: str
    key: str
    generation: int
    attempt: int
    step: str
    effect: str
    detail: tuple[tuple[str, object, object], ...]


def _effect(row: Sequence[object]) -> Effect:
    values: dict[str, Any] = dict(zip((column.name for column in fields(Effect)), row, strict=True))
    values["at"] = datetime.fromisoformat(values["at"])
    values["detail"] = tuple(
        (what, before, after) for what, before, after in json.loads(values["detail"])
    )
    return Effect(**values)


class SimulatorStore:
    """The file at `path`, made when it is first used. All methods block and raise ConnectorError.

    With `keeps_open` its connections are kept for the next call until `close`: opening one costs more than most calls
    do, and the end of the last one moves the log into the file.
    """

    def __init__(self, path: Path, *, keeps_open: bool = False) -> None:
        self.path = path
        self._keeps_open = keeps_open
        self._idle: list[tuple[tuple[int, int], sqlite3.Connection]] = []

    def close(self) -> None:
        """Close the connections that were kept."""
        while self._idle:
            self._idle.pop()[1].close()

    def observe(self, desired: DesiredState, layout: Sequence[Part]) -> ObservedState:
        """Return what is there under this name, whoever owns it; without it, the fence that is left."""
        with self._reading() as db:
            return _look(db, desired, layout)[1]

    def list(self, installation: str, cursor: str) -> Page:
        """Return the objects that carry the mark of `installation`, or with "" all, after those of the last page."""
        after: list[str] = json.loads(cursor) if cursor else ["", ""]
        with self._reading() as db:
            rows = db.execute(
                "SELECT service, name, body FROM object WHERE (service, name) > (?, ?)"
                " AND ? IN (installation, '') ORDER BY service, name LIMIT ?",
                (*after, installation, PAGE),
            ).fetchall()
            found = []
            for service, name, body in rows:
                kept = SimulatedObject.from_json(body)
                fence = _fence(db, (service, name, kept.installation, kept.key))
                found.append(kept.listed(service, name, fence))
        more = len(rows) == PAGE
        return Page(tuple(found), json.dumps(rows[-1][:2]) if more else "")

    def seed(self, existing: Sequence[ExistingObject]) -> None:
        """Make the objects that are to be there already, each once for the life of the file."""
        if not existing:
            return
        with self._transaction() as db:
            for found in existing:
                place = (_EXISTING, found.service, found.name)
                if db.execute(
                    "SELECT 1 FROM used WHERE rule = ? AND service = ? AND key = ?", place
                ).fetchone():
                    continue
                db.execute("INSERT INTO used VALUES (?, ?, ?, 1)", place)
                body = SimulatedObject(
                    secrets.token_hex(8),
                    found.owner,
                    f"{found.service}/{found.name}" if found.owner else "",
                    Wish.PRESENT,
                    found.level,
                    settings=dict(found.settings),
                    password=password_hash(found.password) if found.password else "",
                    unadoptable=found.unadoptable,
                )
                db.execute(
                    "INSERT OR IGNORE INTO object VALUES (?, ?, ?, ?)",
                    (found.service, found.name, found.owner, body.to_json()),
                )

    def count(self) -> int:
        """Return how many objects there are."""
        with self._reading() as db:
            return int(db.execute("SELECT count(*) FROM object").fetchone()[0])

    def spend(
        self, failures: Sequence[SimulatorRule], service: str, key: str
    ) -> SimulatorRule | None:
        """Return the first of `failures` that is not used up, counted as used once more."""
        if not failures:
            return None
        with self._transaction() as db:
            return _spend(db, failures, service, key)

    def apply(
        self,
        desired: DesiredState,
        step: str,
        planner: Planner,
        layout: Sequence[Part],
        failures: Sequence[SimulatorRule],
        pending: SimulatorRule | None,
    ) -> Applied:
        """Do what `planner` finds still to do in `step`, or fail as the first usable rule says."""
        acted: SimulatedObject | None = None
        with self._transaction() as db:
            _pass_fence(db, desired)
            failure = _spend(db, failures, desired.service, desired.mark.key)
            if failure is None or failure.when != BEFORE:
                acted = _act(db, desired, step, planner, layout, pending)
        if failure is not None:
            raise failure.error()
        if acted is None:
            return Applied()
        return Applied(acted.external_id, acted.token)

    def forget(self, keys: Sequence[str]) -> int:
        """Remove the objects, fences and used-up failures of these assignments; returns how many objects there were.

        The ledger stays: what happened has happened.
        """
        if not self.path.exists():
            return 0
        removed = 0
        with self._transaction() as db:
            for key in keys:
                for table in ("fence", "used"):
                    db.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608 - two names of ours
                removed += db.execute(
                    "DELETE FROM object WHERE json_extract(body, '$.key') = ?", (key,)
                ).rowcount
        return removed

    def login(self, name: str, password: str, service: str | None) -> bool:
        """Return True when a present object of this name takes this password."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT body FROM object WHERE name = ? AND service = coalesce(?, service)",
                (name, service),
            ).fetchall()
        return any(SimulatedObject.from_json(row[0]).takes(password) for row in rows)

    def ledger(self) -> tuple[Effect, ...]:
        """Return all effects in the order in which they happened."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM ledger ORDER BY effect_id").fetchall()
        return tuple(_effect(row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                # Whatever stopped it, an interrupt too, keeps nothing of a half-done change.
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _opened(self, file: tuple[int, int]) -> sqlite3.Connection:
        """Return a kept connection to this very file, or a new one: a file that was removed is begun anew."""
        while self._idle:
            kept, db = self._idle.pop()
            if kept == file:
                return db
            db.close()
        db = sqlite3.connect(
            self.path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            # Each call has a thread of a pool, and its connection to itself.
            check_same_thread=not self._keeps_open,
        )
        try:
            _ready(db, self.path)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that makes no file: what is not there is empty."""
        if self.path.exists():
            with self._connection() as db:
                yield db
        elif not next(place for place in self.path.absolute().parents if place.exists()).is_dir():
            raise _error(ErrorKind.CONFIG, self.path, "it lies below a file")
        else:
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
                _make_schema(db)
                yield db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            found = self.path.stat()
            file = (found.st_dev, found.st_ino)
            db = self._opened(file)
            try:
                yield db
            except BaseException:
                db.close()
                raise
            if self._keeps_open:
                self._idle.append((file, db))
            else:
                db.close()
        except sqlite3.OperationalError as error:
            raise _error(ErrorKind.TRANSIENT, self.path, str(error)) from None
        except sqlite3.Error as error:
            raise _error(ErrorKind.CONFIG, self.path, str(error)) from None
        except OSError as error:
            raise _error(ErrorKind.CONFIG, self.path, error.strerror or "") from None


def _error(kind: ErrorKind, path: Path, said: str) -> ConnectorError:
    remedy = (
        "Another process may hold it; it is tried again."
        if kind is ErrorKind.TRANSIENT
        else "Change the connector's path, or remove the file to start over."
    )
    return ConnectorError(kind, f"The simulator's file {path}: {said}", remedy=remedy, code="file")


def _ready(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA synchronous = NORMAL")
    # Each kept connection has a cache of its own in the worker's memory; the system's serves them all.
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    version = _version(db)
    if version == 0:
        _make_schema(db)
    elif version < SCHEMA_VERSION:
        _upgrade(db)
    elif version != SCHEMA_VERSION:
        raise _error(ErrorKind.CONFIG, path, f"its version is {version}, not {SCHEMA_VERSION}")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _make_schema(db: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # Changing the journal does not wait for a lock as other statements do.
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    db.execute("BEGIN IMMEDIATE")
    if _version(db) == 0:
        for statement in _SCHEMA:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _upgrade(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    for version in range(_version(db), SCHEMA_VERSION):
        db.execute(_UPGRADES[version])
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _look(
    db: sqlite3.Connection, desired: DesiredState, layout: Sequence[Part]
) -> tuple[SimulatedObject | None, ObservedState]:
    service, name, mark = desired.service, desired.name, desired.mark
    row = db.execute(
        "SELECT body FROM object WHERE service = ? AND name = ?", (service, name)
    ).fetchone()
    if row is not None:
        found = SimulatedObject.from_json(row[0])
        fence = _fence(db, (service, name, found.installation, found.key))
        return found, found.observed(layout, fence)
    left = _fence(db, (service, name, mark.installation, mark.key))
    return None, ObservedState(exists=False, mark=marked(mark.installation, mark.key, left))


def _fence(db: sqlite3.Connection, place: tuple[str, str, str, str]) -> tuple[int, int, int]:
    """Return the fence that is kept for (service, name, installation, key)."""
    row = db.execute(
        "SELECT epoch, generation, attempt FROM fence"
        " WHERE service = ? AND name = ? AND installation = ? AND key = ?",
        place,
    ).fetchone()
    return (row[0], row[1], row[2]) if row else (1, 0, 0)


def _pass_fence(db: sqlite3.Connection, desired: DesiredState) -> None:
    """Record the fence of `desired`, which outlives the object; an older one is refused."""
    mark = desired.mark
    place = (desired.service, desired.name, mark.installation, mark.key)
    stored = _fence(db, place)
    if mark.fence < stored:
        raise ConnectorError(
            ErrorKind.STALE,
            f"{desired.name} has seen epoch {stored[0]}, generation {stored[1]}, attempt "
            f"{stored[2]}; this is {', '.join(map(str, mark.fence))}",
            remedy="Nothing to do: the newer request decides.",
            code="fence",
        )
    db.execute(
        "INSERT OR REPLACE INTO fence (service, name, installation, key, epoch, generation, attempt)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*place, *mark.fence),
    )


def _spend(
    db: sqlite3.Connection, failures: Sequence[SimulatorRule], service: str, key: str
) -> SimulatorRule | None:
    for rule in failures:
        if rule.fail_times is None:
            return rule
        place = (rule.id, service, key)
        row = db.execute(
            "SELECT times FROM used WHERE rule = ? AND service = ? AND key = ?", place
        ).fetchone()
        times = row[0] if row else 0
        if times < rule.fail_times:
            db.execute("INSERT OR REPLACE INTO used VALUES (?, ?, ?, ?)", (*place, times + 1))
            return rule
    return None


def _begin_job(acted: SimulatedObject, rule: SimulatorRule | None) -> None:
    """Let the back end work on after an act, as the rule says, or be done."""
    now = time.time()
    seconds = 0.0 if rule is None or rule.pending is None else rule.pending
    acted.pending_from, acted.pending_until = (now, now + seconds) if seconds else (0.0, 0.0)
    deadline = None if rule is None else rule.deadline
    acted.pending_deadline = 0.0 if deadline is None else now + deadline
    acted.pending_words = "" if rule is None else rule.pending_words
    acted.look_again_after = None if rule is None else rule.look_again_after
    acted.token = f"job-{secrets.token_hex(4)}" if seconds else ""


def _act(
    db: sqlite3.Connection,
    desired: DesiredState,
    step_name: str,
    planner: Planner,
    layout: Sequence[Part],
    pending: SimulatorRule | None,
) -> SimulatedObject | None:
    """Bring about what is still to do of one step, found by planning anew inside the transaction."""
    found, observed = _look(db, desired, layout)
    step = step_to_do(planner(desired, observed), step_name)
    if step is None:
        return found
    mark = desired.mark
    acted = found or SimulatedObject(
        secrets.token_hex(8), mark.installation, mark.key, desired.state
    )
    for change in step.changes:
        acted.carry_out(change, desired, step.name)
    effects = effects_of(step)
    if effects:
        _begin_job(acted, pending)
    place = (desired.service, desired.name)
    if any(part.name in acted.parts for part in layout):
        db.execute(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)",
            (*place, acted.installation, acted.to_json()),
        )
    else:
        db.execute("DELETE FROM object WHERE service = ? AND name = ?", place)
    at = datetime.now(UTC).isoformat()
    for effect, changes in effects:
        detail = json.dumps([[change.what, change.before, change.after] for change in changes])
        db.execute(
            "INSERT INTO ledger (at, service, name, key, generation, attempt, step, effect, detail)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (at, *place, mark.key, mark.generation, mark.attempt, step.name, effect, detail),
        )
    return acted
