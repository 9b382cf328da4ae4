"""Carrying out one step on a server: the statements of each step, in the order that is safe to stop in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mission_control_tui.connect import DesiredState, Note, ObservedState, Step, Wish
from mission_control_tui.provisioning.connectors.postgresql import statements as sql
from mission_control_tui.provisioning.connectors.postgresql.observe import DATABASE, ISOLATION, ROLE
from mission_control_tui.provisioning.connectors.postgresql.scram import verifier


@dataclass(frozen=True, slots=True)
class StepExecution:
    """One step on one object, in a session that holds the object's lock.

    `seen` is what was there when the lock had been taken; `connections` the limit to set.
    """

    connection: Any
    desired: DesiredState
    seen: ObservedState
    connections: int | None

    async def carry_out(self, step: Step, *, removing: bool) -> None:
        """Do the changes of `step`, and record the fence with them."""
        if step.name == ISOLATION:
            await self._isolate()
        elif removing:
            await (self._remove_role() if step.name == ROLE else self._remove_database())
        elif step.name == ROLE:
            await self._change_role({change.what for change in step.changes})
        else:
            await self._change_database({change.what for change in step.changes})

    async def _change_role(self, whats: set[str]) -> None:
        name, secret = self.desired.name, self.desired.secret
        new = ROLE in self.seen.missing or not self.seen.exists
        sets_password = "password" in whats and secret is not None
        statement = sql.role_statement(
            "CREATE" if new else "ALTER",
            name,
            login=self.desired.state is Wish.PRESENT if new or "state" in whats else None,
            connections=self.connections if new or "limits.connection_limit" in whats else None,
            verifier=verifier(secret) if sets_password and secret is not None else None,
        )
        password = (0, "") if "owner" in whats else self._password()
        if sets_password:
            password = self.desired.mark.generation, self.desired.secret_id
        comment = Note(self.desired.mark, self.desired.level, *password)
        async with self.connection.transaction():
            if statement:
                await self.connection.execute(statement)
            if new and not await self.connection.fetchval(sql.WE_ARE_SUPERUSER):
                # Only a member of the role may give it a database or end its sessions.
                await self.connection.execute(f"GRANT {sql.identifier(name)} TO CURRENT_USER")
            await self.connection.execute(sql.comment_on("ROLE", name, comment))
        if self.desired.state is Wish.SUSPENDED:
            await self._end_sessions()

    async def _change_database(self, whats: set[str]) -> None:
        name = self.desired.name
        quoted = sql.identifier(name)
        if DATABASE in whats:
            await self.connection.execute(sql.create_database(name))
        async with self.connection.transaction():
            if "attributes.owner" in whats and DATABASE not in whats:
                await self.connection.execute(f"ALTER DATABASE {quoted} OWNER TO {quoted}")
            await self.connection.execute(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC")
            await self.connection.execute(sql.comment_on("DATABASE", name, self._comment()))
            await self.connection.execute(f"ALTER DATABASE {quoted} ALLOW_CONNECTIONS true")
            await self.connection.execute(sql.comment_on("ROLE", name, self._comment()))

    async def _remove_database(self) -> None:
        name = self.desired.name
        if ROLE not in self.seen.missing:
            async with self.connection.transaction():
                await self.connection.execute(sql.role_statement("ALTER", name, login=False))
                await self.connection.execute(sql.comment_on("ROLE", name, self._comment()))
            await self._end_sessions()
        await self.connection.execute(sql.drop_database(name))

    async def _remove_role(self) -> None:
        name = self.desired.name
        quoted = sql.identifier(name)
        await self._end_sessions()
        async with self.connection.transaction():
            for row in await self.connection.fetch(sql.GRANTED_DATABASES, name):
                database = sql.identifier(row["name"])
                await self.connection.execute(f"REVOKE ALL ON DATABASE {database} FROM {quoted}")
            await self.connection.execute(f"DROP ROLE IF EXISTS {quoted}")

    async def _isolate(self) -> None:
        """Keep PUBLIC out of databases that are not ours; roles of other software keep their access."""
        opened = self.seen.attributes["open_databases"]
        async with self.connection.transaction():
            await self.connection.execute(sql.TAKE_ISOLATION_LOCK)
            others = [
                sql.identifier(row["name"])
                for row in await self.connection.fetch(sql.OTHER_LOGINS)
                if Note.from_text(row["comment"]) is None
            ]
            for database in map(sql.identifier, opened if isinstance(opened, list) else []):
                if others:
                    await self.connection.execute(
                        f"GRANT CONNECT ON DATABASE {database} TO {', '.join(others)}"
                    )
                await self.connection.execute(f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")

    def _comment(self) -> Note:
        """Return the role's comment with the new fence, and the level and password that it has."""
        return Note(self.desired.mark, self.seen.level, *self._password())

    def _password(self) -> tuple[int, str]:
        return self.seen.secret_generation, self.seen.secret_id

    async def _end_sessions(self) -> None:
        await self.connection.fetchval(sql.END_SESSIONS, self.desired.name)
