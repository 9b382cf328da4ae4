"""Templates of an account, saved under a name: kept, listed, renamed, removed. What is in them: `template_content`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.in_force import in_force
from mission_control_tui.model.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Problem,
    StaleVersion,
    UsageError,
)
from mission_control_tui.model.onboarding.template_content import (
    TemplateContent,
    checked,
    content_like,
    flat,
    words,
)
from mission_control_tui.model.plan import Outcome, PlanVerb
from mission_control_tui.model.store.retry import retries_on_conflict
from mission_control_tui.model.store.scope import AccountScope, Reach
from mission_control_tui.model.store.tables.templates import TemplateRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.folding import name_key

NAME_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Template:
    """One template of an account."""

    id: int
    account_id: int
    name: str
    content: TemplateContent
    operator: str
    updated_at: datetime
    version: int


async def list_templates(
    scope: Reach, *, limit: int | None = None, offset: int = 0
) -> tuple[Template, ...]:
    """Return the account's templates by name, or those of all accounts by their codes and names."""
    async with scope.reading() as (session, within):
        page = within.by_code(select(TemplateRow), TemplateRow.account_id)
        page = page.order_by(TemplateRow.name_key).limit(limit).offset(offset or None)
        return tuple(_view(row) for row in await session.scalars(page))


async def show_template(scope: AccountScope, name: str) -> Template:
    """Return one template by name or id. Raises NotFound naming those that there are."""
    async with scope.read() as (session, account_id):
        return _view(await _row(session, account_id, name))


@retries_on_conflict
async def save_template(
    scope: AccountScope,
    name: str,
    content: TemplateContent | None = None,
    *,
    user: str | None = None,
    version: int | None = None,
    dry_run: bool = False,
) -> Outcome[Template]:
    """Keep `content`, or what a new user like `user` gets, under this name.

    `version` is that of the template which this replaces, None for a new one. Raises Conflict (the name is taken),
    StaleVersion, NotFound (user, service, level), InvalidInput (name, fields, settings), UsageError (neither given).
    """
    name = _name(name)
    async with scope.read() as (session, account_id):
        if user is not None:
            content = await content_like(session, account_id, user)
        if content is None:
            raise UsageError("A template needs a user to be made like, or fields and services.")
        catalogue = (await in_force(session)).catalogue
    content = checked(catalogue, content)
    async with scope.store.write(scope.caller, account_id, dry_run=dry_run) as tx:
        row = await _find(tx.session, account_id, name, lock=True)
        before: dict[str, object] = {}
        if row is not None:
            if version is None:
                raise _taken(row, "Choose another name, or replace it with --replace.")
            _same_version(row, version)
            before = flat(_view(row).content)
        elif version is not None:
            raise NotFound(f"The template {name} was removed meanwhile.")
        after = flat(content)
        if row is not None and before == after and row.name == name:
            tx.record(PlanVerb.UNCHANGED, "template", row.name)
            return tx.outcome(_view(row))
        verb = PlanVerb.CREATED if row is None else PlanVerb.CHANGED
        if row is None:
            row = TemplateRow(account_id=account_id, version=0)
            tx.session.add(row)
        row.content = content.to_json()
        await _keep(tx, row, name)
        replaces = ("--replace",) if verb is PlanVerb.CHANGED else ()
        tx.command("templates", "save", name, *words(content), *replaces)
        tx.record(
            verb,
            "template",
            name,
            before={key: value for key, value in before.items() if after.get(key) != value},
            after={key: value for key, value in after.items() if before.get(key) != value},
            action=AuditAction.SAVE_TEMPLATE,
            version=row.version,
        )
        view = _view(row)
    return tx.outcome(view)


@retries_on_conflict
async def rename_template(
    scope: AccountScope,
    name: str,
    new_name: str,
    *,
    version: int | None = None,
    dry_run: bool = False,
) -> Outcome[Template]:
    """Call a template otherwise. Raises NotFound, Conflict (taken), StaleVersion, InvalidInput."""
    new_name = _name(new_name)
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await _row(tx.session, account_id, name, lock=True)
        _same_version(row, version)
        other = await _find(tx.session, account_id, new_name)
        if other is not None and other.id != row.id:
            raise _taken(other, "Choose another name.")
        old = row.name
        if old == new_name:
            tx.record(PlanVerb.UNCHANGED, "template", old)
        else:
            await _keep(tx, row, new_name)
            tx.command("templates", "rename", old, new_name)
            tx.record(
                PlanVerb.CHANGED,
                "template",
                old,
                before={"name": old},
                after={"name": new_name},
                action=AuditAction.RENAME_TEMPLATE,
                version=row.version,
            )
        view = _view(row)
    return tx.outcome(view)


@retries_on_conflict
async def remove_template(
    scope: AccountScope, name: str, *, version: int | None = None, dry_run: bool = False
) -> Outcome[Template]:
    """Remove a template; users that were made from it stay as they are. Raises NotFound, StaleVersion."""
    async with scope.change(dry_run=dry_run) as (tx, account_id):
        row = await _row(tx.session, account_id, name, lock=True)
        _same_version(row, version)
        view = _view(row)
        await tx.session.delete(row)
        await tx.session.flush()
        tx.command("templates", "remove", row.name, "--yes")
        tx.record(
            PlanVerb.REMOVED,
            "template",
            row.name,
            before=flat(view.content),
            action=AuditAction.REMOVE_TEMPLATE,
        )
    return tx.outcome(view)


async def _keep(tx: Transaction, row: TemplateRow, name: str) -> None:
    """Write the row under this name as its next version."""
    row.name, row.name_key = name, name_key(name)
    row.operator, row.updated_at = tx.caller.operator, tx.now
    row.version += 1
    await tx.session.flush()


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > NAME_LIMIT or harmless(name) != name:
        what = f"a name has 1 to {NAME_LIMIT} characters, none of them invisible"
        raise InvalidInput("This name cannot be used.", problems=[Problem("name", what)])
    return name


def _taken(row: TemplateRow, hint: str) -> Conflict:
    return Conflict(f"There is a template {row.name} already.", hint=hint)


def _same_version(row: TemplateRow, version: int | None) -> None:
    if version is not None and row.version != version:
        raise StaleVersion(
            f"The template {row.name} was changed meanwhile by {row.operator}.",
            theirs={"version": (version, row.version)},
            hint="Look at what changed, then save again.",
        )


async def _find(
    session: AsyncSession, account_id: int, name: str, *, lock: bool = False
) -> TemplateRow | None:
    statement = select(TemplateRow).where(
        TemplateRow.account_id == account_id, TemplateRow.name_key == name_key(name)
    )
    return await session.scalar(statement.with_for_update() if lock else statement)


async def _row(
    session: AsyncSession, account_id: int, name: str, *, lock: bool = False
) -> TemplateRow:
    row = await _find(session, account_id, name, lock=lock)
    if row is not None:
        return row
    of_account = select(TemplateRow.name).where(TemplateRow.account_id == account_id)
    names = (await session.scalars(of_account.order_by(TemplateRow.name_key).limit(20))).all()
    hint = "Make one: mission-control templates save NAME --like USER"
    if names:
        hint = f"There are: {', '.join(names)}."
    raise NotFound(f"This account has no template {harmless(name)!r}.", hint=hint)


def _view(row: TemplateRow) -> Template:
    content = TemplateContent.from_json(row.content)
    return Template(
        row.id, row.account_id, row.name, content, row.operator, row.updated_at, row.version
    )
