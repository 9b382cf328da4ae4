"""The engine, its sessions and its clock: SQLite and PostgreSQL behind one door.

SQLite: WAL, foreign keys, busy timeout, and every write transaction begins IMMEDIATE: a deferred one reads a seat count
that another writer is about to change. PostgreSQL: READ COMMITTED with row locks taken by the functions that need them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Engine, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.placement import Placement
from mission_control_tui.model.store.engine import (
    BUSY_TIMEOUT_MS,
    CHANNEL,
    clock,
    create_engine,
    create_inline_engine,
    database_url,
    display_url,
    hang_up,
    unreachable,
)
from mission_control_tui.model.store.sqlite_files import lies_read_only
from mission_control_tui.model.store.tables.installation import InstallationRow
from mission_control_tui.model.store.transaction import Transaction, TryOut
from mission_control_tui.model.text.folding import FOLDING
from mission_control_tui.model.views import KeepPasswords


class Store:
    """The open database. Functions of the model take it; nothing outside the model looks inside."""

    def __init__(
        self,
        engine: AsyncEngine,
        installation: str,
        connectors: Mapping[str, str] | None = None,
        followed: Mapping[str, str] | None = None,
        *,
        direct: Engine | None = None,
        folded_anew: bool = True,
        placements: Mapping[str, Placement] | None = None,
        private_suffixes: Iterable[str] = (),
    ) -> None:
        self.engine = engine
        self.installation = installation
        self.connectors = dict(connectors or {})
        """Service id -> connector name, where the settings differ from the catalogue."""
        self.followed = dict(followed or {})
        """The same as it was when assignments followed it last, see `connecting`."""
        self.placements = dict(placements or {})
        """Service id -> how it is shared out, for those that several connectors serve."""
        self.folded_anew = folded_anew
        """Whether what users are found by was made by this program's folding, see `search/renewal.py`."""
        self.private_suffixes = tuple(private_suffixes)
        """Endings of domains in the provider's own networks, which no public list has."""
        self.is_read_only = self.is_sqlite and lies_read_only(Path(engine.url.database or ""))
        """Whether nothing can be written, whoever asks, because of the file system that the database lies on."""
        self.heard_at: float | None = None
        """When the feed of changes heard from PostgreSQL last, by time.monotonic(); None before it listens."""
        self._direct = direct
        """The engine of sessions that need no thread, where the store was opened so."""
        self._direct_writer = direct and direct.execution_options(mc_write=True)
        self._committing = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = engine.execution_options(mc_write=True)
        # SQLite's readers have their snapshot by WAL; PostgreSQL's only when a transaction asks for one.
        self._reader = (
            engine
            if self.is_sqlite
            else engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )

    @classmethod
    async def open(
        cls,
        where: str | Path,
        *,
        create: bool = True,
        may_upgrade: bool = True,
        connectors: Mapping[str, str] | None = None,
        placements: Mapping[str, Placement] | None = None,
        private_suffixes: Iterable[str] = (),
        inline: bool = False,
    ) -> Self:
        """Open the database, making or upgrading it first where that is this program's to do, and allowed.

        `inline`: SQLite's statements hold up this process instead of having threads, see `inline_session`.
        Raises StoreError: not there, locked, newer than this program, or not ours.
        """
        from mission_control_tui.model.store import upgrade

        url = database_url(where)
        await upgrade.prepare(url, create=create, may_upgrade=may_upgrade)
        engine = create_engine(url)
        is_direct = inline and url.get_backend_name() == "sqlite"
        direct = create_inline_engine(url) if is_direct else None
        try:
            async with _inline(direct) if direct else AsyncSession(engine) as session:
                installation, followed, folding = (
                    await session.execute(
                        select(
                            InstallationRow.uuid,
                            InstallationRow.connectors,
                            InstallationRow.folding,
                        )
                    )
                ).one()
        except (DBAPIError, OSError) as error:
            await engine.dispose()
            raise unreachable(url, error) from error
        return cls(
            engine,
            installation,
            connectors,
            followed,
            direct=direct,
            folded_anew=folding >= FOLDING,
            placements=placements,
            private_suffixes=private_suffixes,
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database, with its single worker."""
        return self.engine.dialect.name == "sqlite"

    @property
    def silence(self) -> float:
        """For how many seconds nothing was heard from the database, where a feed of changes listens to it."""
        return 0.0 if self.heard_at is None else time.monotonic() - self.heard_at

    @property
    def url(self) -> URL:
        """Where the database is, its password included: never show it, see `shown_url`."""
        return self.engine.url

    @property
    def shown_url(self) -> str:
        """Where the database is, for people and without its password: a path or a URL."""
        return display_url(self.engine.url)

    def session(self, *, writes: bool) -> AsyncSession:
        """Return a session to be entered. What it writes nobody is told of, see `write`."""
        if self._direct is not None:
            direct = self._direct_writer if writes else self._direct
            return _inline(direct or self._direct, writes=writes)
        engine = self._writer if writes else self._reader
        return AsyncSession(engine, expire_on_commit=False)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Yield a session that sees one consistent snapshot and writes nothing."""
        async with self.session(writes=False) as session:
            yield session

    @asynccontextmanager
    async def write(
        self,
        caller: Caller,
        account_id: int | None = None,
        *,
        dry_run: bool = False,
        keep: KeepPasswords | None = None,
        tried: TryOut | None = None,
    ) -> AsyncIterator[Transaction]:
        """Yield one write transaction. It commits at the end, or rolls back on a dry run or any error.

        `keep` gets the passwords that were made in it just before the commit; what it raises rolls back as well.
        `tried` gets a dry run before it is rolled back.
        """
        self.require_room()
        caller.require_write()
        async with self.session(writes=True) as session:
            tx = Transaction(
                session,
                caller,
                account_id,
                dry_run=dry_run,
                is_sqlite=self.is_sqlite,
                connectors=self.connectors,
                placements=self.placements,
                private_suffixes=self.private_suffixes,
                keep=keep,
                tried=tried,
            )
            yield tx
            await tx.finish(CHANNEL)

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncSession]:
        """Yield a session for single statements that read: on PostgreSQL each is a transaction by itself."""
        if self.is_sqlite:
            async with self.read() as session:
                yield session
            return
        async with AsyncSession(self._committing, expire_on_commit=False) as session:
            yield session

    def committing(self) -> AsyncConnection:
        """Return a connection to be entered, each of whose statements is committed by itself."""
        return self._committing.connect()

    @asynccontextmanager
    async def private(self) -> AsyncIterator[AsyncSession]:
        """Yield a write of an operator's own notes (drafts, sessions, what was looked at last).

        A read-only console may make it too; it has no plan and no audit, and nobody else is told.
        Raises StoreError on a read-only file system.
        """
        self.require_room()
        async with self.session(writes=True) as session:
            yield session
            await session.commit()

    def require_room(self) -> None:
        """Raise StoreError where the database lies on a read-only file system."""
        if self.is_read_only:
            raise StoreError(
                f"A read-only file system holds the database, which can be read and not changed: {self.shown_url}",
                hint="Work on the database where it can be written.",
            )

    async def now(self) -> float:
        """Return the database's clock, in seconds since the epoch: what leases are timed by."""
        async with self.read() as session:
            return await clock(session)

    def hang_up(self) -> None:
        """Cut the connections to PostgreSQL, in the middle of whatever they wait for."""
        hang_up(self.engine)

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()
        if self._direct is not None:
            self._direct.dispose()


def _inline(engine: Engine, *, writes: bool = False) -> AsyncSession:
    from mission_control_tui.model.store.inline_session import InlineSession

    return InlineSession(engine, writes=writes, patience=BUSY_TIMEOUT_MS / 1000)
