"""`objects`: groups, mail contacts and shared mailboxes of the account, and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from mission_control_tui.cli.common import lists, options, results
from mission_control_tui.cli.common.lazy_group import LazyGroup
from mission_control_tui.cli.common.output import LIGHT_MARKS, attributes, line, table
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.errors import UsageError

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.types import Service
    from mission_control_tui.model.groups.queries import ObjectLine, ObjectView
    from mission_control_tui.model.plan import Outcome
    from mission_control_tui.model.store.scope import AccountScope

P = ParamSpec("P")
OBJECT = argument("named", metavar="OBJECT")
WHO = argument("who", nargs=-1, required=True, metavar="WHO...")
NOTHING = "No groups, mail contacts or shared mailboxes."
_FIELD = options.Pair("--set {} is not understood.", "Write --set NAME=VALUE.")
SETTINGS = options.pairs(("--set", "settings"), "FIELD=VALUE", "A field; may be repeated.", _FIELD)


def _members(flag: str, help_text: str) -> options.Decorator:
    """Return an option for members, each with the role."""
    hint = f"Write {flag} owner=ada@acme.example."
    kind = options.Pair(f"{flag} {{}} is not understood.", hint, needs_value=True)
    return options.pairs((flag,), "ROLE=WHO", f"{help_text}; may be repeated.", kind)


ADD = _members("--add", "A member: a user or another object, as in --add owner=ada@acme.example")


LATE = {"import": ("Make objects from a file.", "users.import_objects:import_file")}


@click.group(cls=LazyGroup, lazy=LATE)
def objects() -> None:
    """Groups, mail contacts, shared mailboxes.

    One is named by address, name or id. The catalogue says which kinds there are, which fields each
    has and what members can be to it: `objects kinds` shows it.
    """


@objects.command()
@options.reads("mission-control objects kinds")
def kinds(session: Session) -> None:
    """The kinds of objects, with their fields and the roles of members."""
    from mission_control_tui.model.catalogue.in_force import current

    found = session.run(current).catalogue.kinds
    if session.printed({"kinds": [_kind(kind) for kind in found]}):
        return
    for kind in found:
        line(f"{kind.id}  {kind.name}: {kind.description}")
        for field in kind.options_for(kind.levels[0].id):
            line(f"    --set {field.id}=...  {field.name}; {field.expected}")
        for role in kind.roles:
            line(f"    --add {role.id}=...  {role.name}. {role.help}".rstrip())


@objects.command("list")
@argument("query", required=False, default="")
@option("--kind", metavar="KIND", help="Only this kind, by name or id.")
@option("--removed", is_flag=True, help="What was removed instead; `restore` brings it back.")
@lists.limited(200)
@options.OFFSET
@options.exports
@options.reads(
    'mission-control objects list sales --kind "Distribution Group"',
    "mission-control objects list --all-accounts --csv",
)
def list_objects(session: Session, limit: int, offset: int, **wanted: Any) -> None:
    """List objects by name, those of all accounts too; each word of QUERY is in the name or the address."""

    from mission_control_tui.model.groups.queries import list_objects as listed
    from mission_control_tui.model.groups.queries import objects_of_all

    headings = ("Name", "Address", "Kind", "Members", "Light")
    if session.all_accounts or session.csv:
        found = session.survey(objects_of_all, limit=limit + 1, offset=offset, **wanted)
        results.tell_survey(
            *(session, "objects", found, headings, _row, attributes),
            nothing=NOTHING,
            limit=limit,
            offset=offset,
        )
        return
    page = session.query(listed, limit=limit, offset=offset, **wanted)
    rows = [_row(shown) for shown in page.rows]
    told = {"objects": page.rows, "total": page.total}
    more = offset + len(rows) < page.total
    results.tell_list(session, told, headings, rows, nothing=NOTHING, more=more)


def _row(shown: ObjectLine) -> tuple[object, ...]:
    light = f"{LIGHT_MARKS[shown.light]} {shown.word}" + (", being removed" * shown.removed)
    return shown.name, shown.address, shown.kind_name, shown.members, light


@objects.command()
@OBJECT
@options.reads("mission-control objects show sales@acme.example")
def show(session: Session, named: str) -> None:
    """Everything about one, with its members."""

    from mission_control_tui.model.groups.queries import show_object

    view = session.query(show_object, named)
    if session.printed({"object": as_json(view)}):
        return
    line(f"{view.name}  {view.address}  ({view.kind_name})")
    service = view.service
    line(f"Light: {LIGHT_MARKS[service.light]} {service.word}  {service.step}".rstrip())
    if service.error_said:
        line(f"  {service.error_said} {service.error_remedy}".rstrip())
    for key, value in view.settings.items():
        line(f"{key}: {value}")
    for parent, name in view.member_of:
        line(f"is in: {name}  ({parent})")
    table(
        ("Role", "Who", "Address", "What"),
        [(member.role, member.name, member.address, member.kind_name) for member in view.members],
    )


@objects.command()
@argument("kind")
@argument("name")
@argument("address")
@SETTINGS
@ADD
@options.waits
@options.changes(
    'mission-control objects create distribution-group "Sales Team" sales@acme.example \\',
    "    --add member=ada@acme.example --add owner=bob@acme.example --wait 60",
    'mission-control objects create mail-contact "Print Shop" orders@printer.example',
)
def create(
    session: Session,
    kind: str,
    name: str,
    address: str,
    settings: options.Pairs,
    add: options.Pairs,
) -> None:
    """Make an object and provision it."""
    from mission_control_tui.model.groups.editing import create_object

    of_object = (kind, name, address)
    _change(session, create_object, *of_object, settings=dict(settings), members=_by_role(add))


@objects.command()
@OBJECT
@option("--name", metavar="NAME", help="What it is called from now on.")
@option("--address", metavar="ADDRESS", help="Its address from now on.")
@SETTINGS
@ADD
@_members("--remove", "A member who is no longer to have the role")
@options.waits
@options.changes(
    'mission-control objects edit sales@acme.example --name "Sales Team" --set who-may-send=anyone',
    "mission-control objects edit sales@acme.example --remove owner=bob@acme.example",
)
def edit(
    session: Session,
    named: str,
    name: str | None,
    address: str | None,
    settings: options.Pairs,
    add: options.Pairs,
    remove: options.Pairs,
) -> None:
    """Change an object and its members, or try again what is red."""
    from mission_control_tui.model.groups.editing import GroupChanges, edit_object

    wished = GroupChanges(name, address, dict(settings), _by_role(add), _by_role(remove))
    _change(session, edit_object, named, wished)


@objects.command()
@OBJECT
@WHO
@option("--role", metavar="ROLE", help="What they are to it; without it the first role.")
@options.waits
@options.changes(
    "mission-control objects join sales@acme.example ada@acme.example bob@acme.example"
)
def join(session: Session, named: str, who: tuple[str, ...], role: str | None) -> None:
    """Let users or other objects be members."""
    _membership(session, named, who, role, joining=True)


@objects.command()
@OBJECT
@WHO
@option("--role", metavar="ROLE", help="What they no longer are; without it the first role.")
@options.waits
@options.changes("mission-control objects leave sales@acme.example ada@acme.example --role owner")
def leave(session: Session, named: str, who: tuple[str, ...], role: str | None) -> None:
    """Take members out."""
    _membership(session, named, who, role, joining=False)


@objects.command()
@OBJECT
@options.waits
@options.destroys("mission-control objects remove sales@acme.example --yes --wait 60")
def remove(session: Session, named: str) -> None:
    """Take an object away, with what it holds."""
    session.confirm(f"Remove {named}, with all that it holds?")
    from mission_control_tui.model.groups.editing import remove_object

    _change(session, remove_object, named)


@objects.command()
@OBJECT
@options.waits
@options.changes("mission-control objects restore sales@acme.example")
def restore(session: Session, named: str) -> None:
    """Make a removed object again, with its fields and members; what it held does not come back."""
    from mission_control_tui.model.groups.editing import restore_object

    _change(session, restore_object, named)


def _membership(
    session: Session, named: str, who: Sequence[str], role: str | None, *, joining: bool
) -> None:
    async def change(scope: AccountScope, *, dry_run: bool = False) -> Outcome[ObjectView]:
        from mission_control_tui.model.catalogue.in_force import current
        from mission_control_tui.model.groups.editing import GroupChanges, edit_object
        from mission_control_tui.model.groups.queries import show_object

        chosen = role
        if chosen is None:
            view = await show_object(scope, named)
            roles = (await current(scope.store)).catalogue.kind(view.kind).roles
            if not roles:
                raise UsageError(f"A {view.kind_name} has no members.")
            chosen = roles[0].id
        wished = GroupChanges(add={chosen: who}) if joining else GroupChanges(remove={chosen: who})
        return await edit_object(scope, named, wished, dry_run=dry_run)

    _change(session, change)


def _change(
    session: Session, change: results.Change[P, ObjectView], /, *args: P.args, **options: P.kwargs
) -> None:
    """Make the change, wait for the object's light with --wait, and tell it."""
    results.change_and_wait(
        session, _shown, lambda view: [view.service.id], change, *args, **options
    )


def _shown(view: ObjectView) -> dict[str, object]:
    return {"object": as_json(view)}


def _by_role(given: options.Pairs) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for role, who in given:
        members.setdefault(role, []).append(who.strip())
    return members


def as_json(view: ObjectView) -> dict[str, object]:
    """Return an object as JSON, with its service as `status --json` has it."""
    return {
        **attributes(view, "id", "kind", "kind_name", "name", "address", "settings", "members"),
        "member_of": [{"id": parent, "name": name} for parent, name in view.member_of],
        "service": results.service(view.service),
        **attributes(view, "removed_at", "created_at", "version"),
    }


def _kind(kind: Service) -> dict[str, object]:
    return {
        **attributes(kind, "id", "name", "description", "address", "included_with"),
        "fields": [
            {"id": field.id, "name": field.name, "type": field.type, "default": field.initial}
            for field in kind.options_for(kind.levels[0].id)
        ],
        "roles": kind.roles,
    }
