"""`init`, `demo reset`, `upgrade`, `locate`, `completion`: what sets an installation up and says where it is."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mission_control_tui.cli.common import options
from mission_control_tui.cli.common.output import line, say, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.questions import ask_reading
from mission_control_tui.cli.common.results import tell
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import StoreError, UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.views import Account

PLACES = ("settings", "data", "database", "state", "log", "key")
SHELLS = ("bash", "zsh", "fish")


@click.command()
@option("--name", help="The customer's name.")
@option("--code", help="2 to 16 letters, digits and hyphens: acme.")
@option("--domain", "domains", multiple=True, metavar="NAME", help="May be repeated.")
@option("--time-zone", default="UTC", show_default=True, metavar="ZONE")
@option("--customer-number", default="", metavar="NUMBER", help="The customer's number with you.")
@option(
    "--back-ends",
    is_flag=True,
    help="Instead of an account: ask which servers there are, and write a settings file to start from, in which each "
    "connector only observes.",
)
@options.pairs(
    ("--set", "answers"),
    "SERVER.KEY=VALUE",
    "With --back-ends: an answer, and no questions. May be repeated: dns.url=https://dns1.internal.example",
    options.Pair("--set {} is no answer.", "Write --set dns.url=https://dns1.internal.example."),
)
@option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --back-ends: the file to write; yours unless given.",
)
@options.destroys(
    'mission-control init --name "Acme Pty Ltd" --code acme --domain acme.example',
    "mission-control init --back-ends",
)
def init(
    session: Session, back_ends: bool, answers: options.Pairs, out: Path | None, **stated: Any
) -> None:
    """Set up a real account; the database is made where there is none, without the sample account.

    A domain above or below another account's needs your yes as the provider, which stands in that account's audit.
    """
    if back_ends:
        from mission_control_tui.cli.installation.back_ends import write_settings

        write_settings(session, out, answers)
        return
    if answers or out:
        raise UsageError("--set and --out go with --back-ends.")
    for name in ("name", "code"):
        if stated[name] is None:
            raise click.UsageError(f"Missing option '--{name}'.")
    ask_reading(session, stated["domains"])
    with _scratch_where_absent(session):
        outcome = session.run(lambda store: _made(session, store, stated), sample=False)
    tell(session, outcome, {"account": outcome.result})
    if outcome.applied and not session.json:
        say(f"Next: mission-control --account {outcome.result.code} buy email --level popx")


async def _made(session: Session, store: Store, stated: dict[str, Any]) -> Outcome[Account]:
    """Make the account, after the provider's yes to domains that other accounts have to allow."""
    from mission_control_tui.model.accounts.editing import create_account
    from mission_control_tui.model.domains.consents import overlaps

    allowed = set()
    for overlap in await overlaps(store, stated["domains"]):
        session.confirm(
            f"{overlap.name} touches {overlap.domain} of account {overlap.owner}. "
            f"Let {stated['code']} have it all the same?"
        )
        allowed.add(overlap.name)
    return await create_account(
        store, session.caller, **stated, allowed=allowed, dry_run=session.dry_run
    )


@contextlib.contextmanager
def _scratch_where_absent(session: Session) -> Iterator[None]:
    """Try a dry run on a database that is thrown away, where there is none yet: it must not make one."""
    if not session.dry_run or "://" in session.where or Path(session.where).exists():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mission-control-") as directory:
        session.work_elsewhere(str(Path(directory) / "scratch.db"))
        yield


@click.group()
def demo() -> None:
    """The sample account: reset."""


@demo.command()
@options.destroys("mission-control demo reset --yes")
def reset(session: Session) -> None:
    """Start the sample account over, with the simulator's own state of it. Real accounts are never touched."""
    from mission_control_tui.cli.installation.sample import reset_sample

    session.confirm("Start the sample account over? Whatever was changed in it is lost.")
    outcome = session.run(lambda store: reset_sample(session, store), sample=False)
    if outcome.applied and not session.json:
        line(f"The sample account {outcome.result.code} is as it was at first.")
        say("Its lights begin to move: mission-control --account sample status")
    else:
        tell(session, outcome, {"account": outcome.result})


@click.command()
@options.reads("mission-control upgrade")
def upgrade(session: Session) -> None:
    """Make or upgrade the database's tables. Stop consoles and workers of a PostgreSQL database first.

    A SQLite file is backed up beside itself before it is upgraded; back a PostgreSQL database up yourself.
    """
    import asyncio

    from mission_control_tui.model.search.renewal import renew
    from mission_control_tui.model.store import upgrade as model
    from mission_control_tui.model.store.database import Store
    from mission_control_tui.model.store.engine import database_url, display_url

    session.caller.require_write()
    url = database_url(session.where)
    shown = display_url(url)
    key_file = model.key_path(url, session.settings.worker.key_file)

    async def work() -> model.UpgradeResult:
        done = await model.upgrade(url, key_file)
        store = await Store.open(session.where, create=False)
        try:
            await renew(store)
        finally:
            await store.close()
        return done

    done = asyncio.run(work())
    told = {"before": done.before or None, "after": done.after, "backup": done.backup}
    if session.printed({"database": shown, **told}):
        return
    line(f"Database  {shown}")
    line(f"Before    {done.before or 'empty'}")
    line(f"After     {done.after}")
    if done.backup:
        line(f"Backup    {done.backup}")
    if done.before == done.after:
        say("Nothing to do: it is up to date.")


@click.command()
@argument("what", type=click.Choice(PLACES), required=False)
@options.reads("mission-control locate database")
def locate(session: Session, what: str | None) -> None:
    """Where files are: all of them, or one. Nothing is made."""

    from mission_control_tui.model.store.engine import database_url, display_url
    from mission_control_tui.model.store.upgrade import key_path
    from mission_control_tui.provisioning.worker_log import log_path
    from mission_control_tui.settings.settings import locations, settings_file

    places = locations()
    url = database_url(session.where)
    embedded = url.get_backend_name() == "sqlite"
    key = None
    with contextlib.suppress(StoreError):  # PostgreSQL has the key elsewhere
        key = str(key_path(url, session.settings.worker.key_file))
    found = {
        "settings": str(settings_file()),
        "data": str(places.data),
        "database": display_url(url),
        "state": str(places.state),
        "log": str(log_path(Path(url.database or ""))) if embedded else None,
        "key": key,
    }
    if session.printed({what: found[what]} if what else found):
        return
    if not what:
        table(("WHAT", "WHERE"), [(name, found[name] or "-") for name in PLACES])
    elif found[what] is None:
        raise StoreError(
            f"There is no {what} on this machine.",
            hint="The database is PostgreSQL: workers log where they run, and their key "
            "is worker.key_file in the settings.",
        )
    else:
        line(str(found[what]))


@click.command()
@argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@options.places
@options.example(
    "mission-control completion bash > ~/.local/share/bash-completion/completions/mission-control"
)
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for your shell.

    \b
    bash  eval "$(mission-control completion bash)"     in ~/.bashrc
    zsh   eval "$(mission-control completion zsh)"      in ~/.zshrc
    fish  mission-control completion fish > ~/.config/fish/completions/mission-control.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(
        kind(ctx.find_root().command, {}, "mission-control", options.COMPLETE_VARIABLE).source()
    )
