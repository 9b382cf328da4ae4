"""What every command shares: settings, the open store, the caller, the account, and how results leave the program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from mission_control_tui.model.caller import Caller
    from mission_control_tui.model.plan import Plan
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.scope import AccountScope, Reach
    from mission_control_tui.settings.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


class OfAccount(Protocol):
    """What knows the account that it belongs to."""

    @property
    def account_id(self) -> int:
        """The account's id."""


V = TypeVar("V", bound=OfAccount)


@dataclass(frozen=True)
class Survey(Generic[V]):
    """A list, and where it is of all accounts, the code of each of these by its id."""

    views: Sequence[V]
    codes: Mapping[int, str] | None = None


@dataclass
class Session:
    """The flags of this call. `account` and `database` are as given, None where they were not."""

    database: str | None = None
    account: str | None = None
    mouse: bool = False
    read_only: bool = False
    json: bool = False
    ticket: str = ""
    dry_run: bool = False
    assume_yes: bool = False
    wait: float | None = None
    """How many seconds to wait for the lights to settle."""
    all_accounts: bool = False
    """Whether a list is of every account that the caller may see."""
    csv: bool = False
    look: bool = False
    """Whether back ends are asked what the change would do there; it is a dry run then."""
    passwords_out: Path | None = None
    """The new file that generated passwords are to go to."""
    first_start: Callable[[Session, Store], Awaitable[None]] | None = None
    """What is done to a database that has just been made in its default place."""
    resources: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What the work of a call holds until `run` has closed the store."""
    _settings: Settings | None = None
    _elsewhere: str | None = None

    @property
    def settings(self) -> Settings:
        """File, environment and flags, read once. Raises UsageError naming what is wrong in them."""
        if self._settings is None:
            from mission_control_tui.settings.settings import load

            self._settings = load(
                flags={
                    "database": self._elsewhere or self.database,
                    "account": self.account,
                    "console.mouse": self.mouse or None,
                    "console.read_only": self._starts_read_only or None,
                }
            )
        return self._settings

    @property
    def _starts_read_only(self) -> bool:
        return self.read_only or os.environ.get("MISSION_CONTROL_READ_ONLY", "") not in ("", "0")

    @property
    def where(self) -> str:
        """The database: a path or a URL."""
        from mission_control_tui.settings.settings import locations

        return self.settings.database or str(locations().database)

    def work_elsewhere(self, database: str) -> None:
        """Use this database from now on, whatever flags and settings say."""
        self._elsewhere, self._settings = database, None

    @property
    def caller(self) -> Caller:
        """The operating-system user, with this call's ticket; for a command typed in a console, with its session."""
        from dataclasses import replace

        from mission_control_tui.model.caller import Caller

        return replace(
            Caller.from_operating_system(ticket=self.ticket),
            session=os.environ.get("MISSION_CONTROL_RUN", "")[:32],
            may_write=not self._starts_read_only,
        )

    def run(
        self, work: Callable[[Store], Awaitable[T]], *, create: bool = True, sample: bool = True
    ) -> T:
        """Open the store, do `work`, close it again.

        The embedded database in its default place is made with the sample account when it is first used, without it
        where `sample` is False. A database that was named is never made by the way: a typing error would be a new one;
        nor is one by a call that is read-only.
        """
        named = bool(self.settings.database)
        fresh = not named and not Path(self.where).exists()
        create = create and not (named and sample) and not self._starts_read_only
        with self.resources:
            return asyncio.run(self._run(work, create, fresh and sample))

    def query(
        self,
        query: Callable[Concatenate[AccountScope, P], Awaitable[T]],
        /,
        *args: P.args,
        **options: P.kwargs,
    ) -> T:
        """Ask the model something about the account of this call."""

        async def work(store: Store) -> T:
            return await query(await self.scope(store), *args, **options)

        return self.run(work)

    def survey(
        self,
        query: Callable[Concatenate[Reach, P], Awaitable[Sequence[V]]],
        /,
        *args: P.args,
        **options: P.kwargs,
    ) -> Survey[V]:
        """Ask the model for a list of the account of this call, or with --all-accounts of all of them."""

        async def work(store: Store) -> Survey[V]:
            if not self.all_accounts:
                return Survey(await query(await self.scope(store), *args, **options))
            from mission_control_tui.model.store.account_rows import account_codes
            from mission_control_tui.model.store.scope import AllAccounts

            views = await query(AllAccounts(store, self.caller), *args, **options)
            async with store.read() as session:
                ids = {view.account_id for view in views}
                return Survey(views, await account_codes(session, ids))

        return self.run(work)

    async def _run(self, work: Callable[[Store], Awaitable[T]], create: bool, fresh: bool) -> T:
        from mission_control_tui.model.errors import MissionControlError
        from mission_control_tui.model.store.database import Store
        from mission_control_tui.model.store.engine import as_store_error, unreachable
        from mission_control_tui.settings.garbage import collect_from_now_on

        store = await Store.open(
            self.where,
            create=create,
            may_upgrade=not self._starts_read_only,
            connectors=self.settings.services,
            placements=self.settings.placements,
            private_suffixes=self.settings.own_endings,
        )
        collect_from_now_on()
        self._look_alone(store)
        try:
            if store.connectors != store.followed and not self.dry_run:
                await self._follow_settings(store)
            if not (store.folded_anew or self.dry_run or self._starts_read_only):
                from mission_control_tui.model.search.renewal import SECONDS, renew

                await renew(store, SECONDS)
            if fresh:
                await self._make_sample(store)
            result = await work(store)
            if not self.dry_run and not self._starts_read_only:
                await self._wake_for_what_is_due(store)
            return result
        except (BrokenPipeError, MissionControlError):
            # What is told already says more than what the database said below it.
            raise
        except Exception as error:
            away = as_store_error(error)
            if away is None:
                raise
            raise (unreachable(store.url, error) if store.is_sqlite else away) from error
        finally:
            await store.close()

    def _look_alone(self, store: Store) -> None:
        """Do as a read-only call does where the database can only be read."""
        if store.is_read_only and not self._starts_read_only:
            self.read_only = True

    async def _follow_settings(self, store: Store) -> None:
        from mission_control_tui.cli.common.output import say
        from mission_control_tui.model.installation.connector_switch import follow_settings

        for switch in await follow_settings(store, self.caller):
            say(
                f"The connector of {switch.service_id} changed from {switch.before} to {switch.after}: "
                f"{switch.moved} now not checked. Provision again to check."
            )

    async def _wake_for_what_is_due(self, store: Store) -> None:
        """Start a worker for schedules whose moment came while none ran: whoever comes along does."""
        from mission_control_tui.model.schedules.due import next_moment

        ahead = await next_moment(store)
        if ahead is None or ahead > 0:
            return
        from mission_control_tui.cli.common.output import say
        from mission_control_tui.model.errors import StoreError
        from mission_control_tui.provisioning.launcher import ensure_worker

        try:
            await ensure_worker(store, self.settings)
        except StoreError as error:
            say(f"Something is due by the clock. {error.what}")

    async def _make_sample(self, store: Store) -> None:
        if self.first_start is not None:
            await self.first_start(self, store)

    async def account_id(self, store: Store) -> int:
        """Return the account that this call is about. Raises UsageError listing them when it is not clear."""
        from mission_control_tui.model.accounts.editing import resolve_account
        from mission_control_tui.model.errors import NotFound

        named = self.settings.account or None
        try:
            chosen = await resolve_account(store, self.caller, named)
        except NotFound:
            if named or self.settings.database or self._starts_read_only:
                raise
            # A first start that was cut short, or one that another process is in the middle of.
            await self._make_sample(store)
            chosen = await resolve_account(store, self.caller, named)
        return chosen.id

    def scope_of(self, store: Store, account: int | str) -> AccountScope:
        """Return the scope of an account, for this call's caller."""
        from mission_control_tui.model.store.scope import AccountScope

        return AccountScope(store, self.caller, account)

    async def scope(self, store: Store) -> AccountScope:
        """Return the scope of the account that this call is about. Raises as `account_id` does."""
        return self.scope_of(store, await self.account_id(store))

    def printed(self, document: object) -> bool:
        """Print the document where --json asks for it, and tell whether it does."""
        if self.json:
            from mission_control_tui.cli.common.output import print_json

            print_json(document)
        return self.json

    def require_one_format(self, other: str | None = None) -> None:
        """Raise UsageError for --json beside --csv, or beside an `other` form that a command has besides."""
        from mission_control_tui.model.errors import UsageError

        flag = other or ("--csv" if self.csv else "")
        if self.json and flag:
            raise UsageError(f"--json and {flag} contradict each other.", hint="Give one of them.")

    def confirm(self, question: str) -> None:
        """Ask before something is taken away. Raises Denied on no, and without a terminal unless --yes was given."""
        from mission_control_tui.model.errors import Denied
        from mission_control_tui.model.text.clean import harmless

        if self.assume_yes or self.dry_run:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Denied(
                f"{question} This needs a yes, and there is no terminal to ask on.",
                hint="Add --yes, or look first with --dry-run.",
            )
        if not click.confirm(harmless(question), default=False, err=True):
            raise Denied("Nothing was changed.")

    def confirm_losses(self, question: str, plan: Plan) -> None:
        """Ask before a change by which something shrinks or goes; any other one needs no yes. Raises Denied."""
        if plan.lost:
            self.confirm(f"{question} Lost: {'; '.join(plan.lost)}.")


pass_session = click.make_pass_decorator(Session, ensure=True)
