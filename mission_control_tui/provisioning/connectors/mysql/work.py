"""Carrying out one step on a server: the statements of each step, in the order that is safe to stop in.

Statements about users and databases are no part of a transaction: the mark with the new fence is written before them,
which password was set after them, so that whatever stops in between is found different and done again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pymysql

from mission_control_tui.connect import DesiredState, Note, ObservedState, Step, Wish
from mission_control_tui.provisioning.connectors.mysql import statements as sql
from mission_control_tui.provisioning.connectors.mysql.errors import number_of
from mission_control_tui.provisioning.connectors.mysql.observe import (
    ACCOUNT,
    DATABASE,
    ELSEWHERE,
    Place,
    owner_of,
)
from mission_control_tui.provisioning.connectors.mysql.session import Session

CANNOT_USER = 1396
"""MariaDB's number for a user that is there already."""
ENDING_SECONDS = (0.01, 0.05, 0.2, 0.5)
"""How long to wait for sessions that were told to end, before each look whether they have."""

_RIGHTS = ", ".join(sql.TENANT_RIGHTS)


def native_hash(password: str) -> str:
    """Return what mysql_native_password keeps, so that the password itself reaches neither server nor log."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


@dataclass(frozen=True, slots=True)
class StepExecution:
    """One step on one object, in a session that holds the object's lock.

    `seen` is what was there when the lock had been taken; `limits` are all that the account should have.
    """

    session: Session
    place: Place
    desired: DesiredState
    seen: ObservedState
    limits: Mapping[str, int]

    def carry_out(self, step: Step, *, removing: bool) -> None:
        """Do the changes of `step`, and record the fence with them."""
        self._make_table()
        whats = {change.what for change in step.changes}
        if self.desired.state is Wish.ABSENT and not self.seen.exists:
            self._mark(self._password(), removed=True)
        elif removing:
            self._remove_account() if step.name == ACCOUNT else self._remove_database()
        elif step.name == ACCOUNT:
            self._change_account(whats)
        else:
            self._change_database(whats)

    def _change_account(self, whats: set[str]) -> None:
        secret = self.desired.secret
        new = ACCOUNT in self.seen.missing or not self.seen.exists
        sets_password = "password" in whats and secret is not None
        before = (0, "") if new or "owner" in whats else self._password()
        self._mark(before)
        told: list[object] = [self.desired.name, self.place.hosts]
        identified = ""
        if sets_password and secret is not None:
            identified = "IDENTIFIED VIA mysql_native_password USING %s "
            told.append(native_hash(secret))
        changes_limits = new or any(what.startswith("limits.") for what in whats)
        locked = self.desired.state is Wish.SUSPENDED if new or "state" in whats else None
        options = sql.account_options(self.limits if changes_limits else {}, locked)
        if new or identified or options:
            self._say_user("CREATE" if new else "ALTER", identified + options, told)
        if sets_password:
            self._mark((self.desired.mark.generation, self.desired.secret_id))
        if self.desired.state is Wish.SUSPENDED:
            self._end_sessions()

    def _say_user(self, verb: str, rest: str, parameters: list[object]) -> None:
        try:
            self.session.run(f"{verb} USER %s@%s {rest}", parameters)
        except pymysql.MySQLError as error:
            if verb == "CREATE" and number_of(error) == CANNOT_USER and not self.seen.exists:
                # Somebody made one of this name just now: it must not pass for ours.
                self.session.run(
                    sql.FORGET_MARK.format(table=self.place.table),
                    (self.desired.name, owner_of(self.desired)),
                )
            raise

    def _change_database(self, whats: set[str]) -> None:
        quoted = sql.percent(sql.identifier(self.desired.name))
        at = (self.desired.name, self.place.hosts)
        self._mark(self._password())
        if DATABASE in whats:
            self.session.run(f"CREATE DATABASE {quoted} CHARACTER SET utf8mb4", ())
        elsewhere = self.seen.attributes.get(ELSEWHERE)
        for pattern in elsewhere if isinstance(elsewhere, list) else []:
            other = sql.percent(sql.identifier(pattern))
            self.session.run(
                f"REVOKE {_RIGHTS}, DELETE HISTORY, GRANT OPTION ON {other}.* FROM %s@%s", at
            )
        own = sql.percent(sql.identifier(sql.in_grants(self.desired.name)))
        self.session.run(f"GRANT {_RIGHTS} ON {own}.* TO %s@%s", at)
        self.session.run(f"REVOKE GRANT OPTION ON {own}.* FROM %s@%s", at)

    def _remove_database(self) -> None:
        self._mark(self._password())
        if ACCOUNT not in self.seen.missing:
            self.session.run("ALTER USER %s@%s ACCOUNT LOCK", (self.desired.name, self.place.hosts))
            self._end_sessions()
        quoted = sql.percent(sql.identifier(self.desired.name))
        self.session.run(f"DROP DATABASE IF EXISTS {quoted}", ())

    def _remove_account(self) -> None:
        self.session.run("DROP USER IF EXISTS %s@%s", (self.desired.name, self.place.hosts))
        self._end_sessions()
        self._mark((0, ""), removed=True)

    def _make_table(self) -> None:
        if self.session.row(sql.HAS_TABLE, (self.place.schema,)) is None:
            schema = sql.percent(sql.identifier(self.place.schema))
            self.session.run(f"CREATE DATABASE IF NOT EXISTS {schema}", ())
            self.session.run(sql.MAKE_TABLE.format(table=self.place.table), ())

    def _mark(self, password: tuple[int, str], *, removed: bool = False) -> None:
        note = Note(self.desired.mark, self.desired.level, *password)
        owner, table = owner_of(self.desired), self.place.table
        if not removed:
            self.session.run(sql.TAKE_OVER.format(table=table), (self.desired.name, owner))
        self.session.run(
            sql.WRITE_MARK.format(table=table),
            (self.desired.name, owner, note.to_text(), removed),
        )

    def _password(self) -> tuple[int, str]:
        return self.seen.secret_generation, self.seen.secret_id

    def _end_sessions(self) -> None:
        name = (self.desired.name,)
        self.session.run("KILL USER %s", name)
        # On a busy server a session that is told to end is still there when the object is looked at again.
        for seconds in ENDING_SECONDS:
            if not (self.session.row(sql.SESSIONS, name) or {}).get("number", 0):
                return
            time.sleep(seconds)
