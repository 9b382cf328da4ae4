"""One service given to a user, a domain or the account, or its level and settings changed, in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mission_control_tui.model import command_words
from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.catalogue.types import Catalogue, PasswordUse, Service
from mission_control_tui.model.catalogue.values import Value
from mission_control_tui.model.domains.address_registry import refusal
from mission_control_tui.model.errors import Conflict, UsageError
from mission_control_tui.model.people import password_policy
from mission_control_tui.model.people.address_syntax import upn_key
from mission_control_tui.model.plan import PlanVerb
from mission_control_tui.model.services import sealed_passwords, seats
from mission_control_tui.model.services.kept_settings import warn_of_not_kept
from mission_control_tui.model.services.moves import come_back
from mission_control_tui.model.services.placing import placement_of
from mission_control_tui.model.services.setting_rules import SettingOwner, judged_settings
from mission_control_tui.model.services.subjects import Subject
from mission_control_tui.model.services.users_password import take_users_password
from mission_control_tui.model.services.wishes import (
    ExistingObject,
    enqueue,
    find,
    find_or_make,
    last_request,
    requirements,
)
from mission_control_tui.model.states import Light, RequestKind, Wish, Word
from mission_control_tui.model.store.tables.accounts import AccountRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction
from mission_control_tui.model.store.user_rows import addresses_of
from mission_control_tui.model.text.instances import with_instance
from mission_control_tui.model.users.actions.base import ActionContext, ActionResult
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.model.users.aliases import AddressChanges, alias_problems
from mission_control_tui.model.users.editing import apply_changes
from mission_control_tui.model.users.losses import losses
from mission_control_tui.model.views import RevealedPassword


async def provision_in(
    tx: Transaction,
    context: ActionContext,
    subject: Subject,
    wanted: ActionParams,
    *,
    suspended: bool | None = None,
    stated: Iterable[str] | None = None,
    said: bool = True,
    existing: ExistingObject | None = None,
) -> ActionResult:
    """Give one service to one subject, inside the caller's transaction; `suspended` None leaves that as it is.

    Without a level the present one stays, or the only one owned is taken. At another level, settings that nobody asked
    for are those of the new level. `stated` says which were asked for; None adds what is wanted to those that were.
    Where it is not `said`, it follows from another command, such as a purchase. What is `existing` at the back end
    becomes the service and keeps its password.
    """
    account, catalogue = context.owner, context.catalogue
    service = catalogue.service(wanted.service)
    subject = subject.having(service)
    user = subject.user
    if service.seats and not await seats.may_be_given(tx, account.id, service):
        raise Conflict(
            f"The account has not bought {service.name}.",
            hint="A service must be bought before it can be provisioned.",
        )
    if existing is None:
        await _come_back(tx, account, subject, service, wanted)
    row = await find_or_make(tx, account, subject, service, wanted.instance, existing, wanted.on)
    if existing is None and row.wish == Wish.ABSENT:
        refuse_unbought(catalogue, subject, service)
    level_id = await _level(tx, account, service, row, wanted.level)
    previous = row.settings if row.wish != Wish.ABSENT else {}
    asked = service.stated_settings(row.level_id, previous, row.stated) if previous else {}
    kept = previous if level_id == row.level_id else asked
    checked = service.validate_settings(level_id, wanted.settings, kept)
    had, has = await _give_addresses(tx, user, service.addresses_in(level_id, wanted.settings))
    whose = (account.id, subject.id, subject.name)
    owner = SettingOwner(*whose, catalogue, service, level_id, row, context.as_of)
    judged = await judged_settings(tx, owner, checked, _looked_at(service, row, checked, wanted))
    settings: dict[str, Value] = judged.settings
    settled = await judged.write(tx, row)
    given: set[str] = set()
    if stated is None:
        given = {service.option(name).id for name in wanted.settings}
        stated = given | {name for name, value in asked.items() if settings.get(name) == value}
    stated = sorted(settings.keys() & set(stated))
    await warn_of_not_kept(tx, service, row.connector, stated)
    if suspended is None:
        suspended = row.wish == Wish.SUSPENDED
    wish = Wish.SUSPENDED if suspended else Wish.PRESENT
    registered = {option.id for option in service.address_options_for(level_id)}
    present = {
        name: value for name, value in row.settings.items() if value or name not in registered
    }
    before = {"level": row.level_id, **present} if row.wish != Wish.ABSENT else {}
    after = {"level": level_id, **settings}
    row_wish, level_before = Wish(row.wish), row.level_id
    on_its_way = row.light == Light.ORANGE and row.word != Word.NOT_CHECKED
    agrees = row.light == Light.GREEN and not row.drift
    if row.wish == wish and before == after and not settled and (agrees or on_its_way):
        tx.record(
            PlanVerb.UNCHANGED,
            "service",
            f"{subject.name} {with_instance(service.name, wanted.instance)}",
        )
        row.stated = stated
        # Of new addresses the service is told by the user's edit.
        told = max(await last_request(tx, row.id), default=None) if has else None
        return ActionResult(
            *(row.id, service.id, level_id, row.backend_name, told),
            connector=row.connector,
            had=had,
            has=has,
        )
    kind = RequestKind.CHANGE if row.wish != Wish.ABSENT else RequestKind.PROVISION
    await seats.hold(tx, row, service, level_id)
    if existing is not None:
        row.password_delivered = service.gets_password
    password = await password_for(tx, catalogue, user, service, row)
    if service.sign_in and row.wish == Wish.ABSENT:
        tx.warn(service.sign_in)
    waits = await requirements(tx, account, catalogue, subject, service)
    request = await enqueue(
        tx,
        row,
        kind,
        wish=wish,
        level_id=level_id,
        settings=settings,
        stated=stated,
        depends_on=waits,
    )
    if wanted.adopt:
        as_is = existing is not None and existing.as_is
        request.previous = {**request.previous, "adopt": True, **({"as_is": True} if as_is else {})}
    if said:
        tx.command(
            *command_words.provision(
                subject.words,
                service.id,
                level_id,
                {name: settings[name] for name in wanted.settings if name in settings},
                instance=wanted.instance,
                adopt=wanted.adopt,
                new_password=password is not None,
                on=wanted.on,
            )
        )
    if suspended != (row_wish == Wish.SUSPENDED):
        tx.command(
            *command_words.turn(
                "suspend" if suspended else "resume", subject.words, service.id, row.instance
            )
        )
        before, after = {**before, "wish": str(row_wish)}, {**after, "wish": str(wish)}
    if row_wish != Wish.ABSENT:
        # What was typed with this wish is meant; the rest follows from it, and is asked about.
        others = {name: value for name, value in previous.items() if name not in given}
        tx.lost += losses(service, (level_before, level_id), others, settings)
    placed = row_wish == Wish.ABSENT and service.id in tx.placements
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    tx.record(
        PlanVerb.CREATED if row_wish == Wish.ABSENT else PlanVerb.CHANGED,
        "service",
        f"{subject.name} {with_instance(service.name, wanted.instance)}",
        before={key: before[key] for key in sorted(changed & before.keys())},
        after={
            **{key: after[key] for key in sorted(changed & after.keys())},
            **({"adopt": True} if wanted.adopt else {}),
            **({"connector": row.connector} if placed else {}),
        },
        action=AuditAction(kind),
        of=service.id,
        user_id=subject.user_id,
        request_id=request.id,
        assignment_id=row.id,
    )
    if password is not None:
        named_by = (service.id, row.instance, row.backend_name)
        tx.revealed.append(RevealedPassword(subject.name, password, *named_by))
    return ActionResult(
        *(row.id, service.id, level_id, row.backend_name, request.id, password, row.connector),
        had=had,
        has=has,
    )


async def _come_back(
    tx: Transaction, account: AccountRow, subject: Subject, service: Service, wanted: ActionParams
) -> None:
    """Let what was taken away before its move had ended be again where that left it, and is kept still."""
    placement = placement_of(tx, account, service.id)
    row = await find(tx, subject, service.id, wanted.instance) if placement is not None else None
    if placement is None or row is None or row.marked:
        return
    name = f"{subject.name} {with_instance(service.name, wanted.instance)}"
    if await come_back(tx, row, placement, wanted.on, name) is not None:
        tx.warn(
            f"{subject.name} gets back what {service.name} had at {row.connector}, with the password of that time."
        )


def _looked_at(
    service: Service, row: AssignmentRow, settings: Mapping[str, Value], wanted: ActionParams
) -> set[str]:
    """Return the options that are judged: those that are named now, and all of what is given anew."""
    if row.wish == Wish.ABSENT:
        return {*settings, *(option.id for option in service.options)}
    return {service.option(key).id for key in wanted.settings}


def refuse_unbought(catalogue: Catalogue, subject: Subject, service: Service) -> None:
    """Raise Conflict for the registration of a domain that was not bought here: nobody would pay for it."""
    domain = subject.domain
    if domain is not None and not domain.bought and service.id in catalogue.registrations:
        raise Conflict(
            f"{domain.name} is registered elsewhere: it was not bought here.",
            hint="A domain that is bought is registered by that: `mission-control buy`.",
        )


async def _give_addresses(
    tx: Transaction, user: UserRow | None, given: Mapping[str, Value]
) -> tuple[dict[str, object], dict[str, object]]:
    """Make what options say of the user's addresses the user's own: aliases, and one primary address.

    Returns what differs, before and after.
    """
    if user is None:
        return {}, {}
    primary = next((value for value in given.values() if isinstance(value, str)), "")
    several = [entry for value in given.values() if isinstance(value, list) for entry in value]
    if not several and not primary:
        return {}, {}
    has = {held.key for held in await addresses_of(tx.session, user.id)}
    new = [address for address in (*several, primary) if address and upn_key(address) not in has]
    problems = await alias_problems(tx, user, new)
    if problems:
        raise refusal(f"{user.upn} cannot have these addresses.", problems)
    if new or primary:
        changes = AddressChanges(add=tuple(dict.fromkeys(new)), primary=primary)
        return await apply_changes(tx, user, {}, addresses=changes)
    return {}, {}


async def _level(
    tx: Transaction, account: AccountRow, service: Service, row: AssignmentRow, wanted: str | None
) -> str:
    if wanted is not None:
        level = service.level(wanted)
        if level.withdrawn and level.id != row.level_id:
            raise Conflict(
                f"{level.name} is withdrawn: only those who have it may keep it.",
                hint="Choose another level.",
            )
        return level.id
    if row.wish != Wish.ABSENT and row.level_id:
        return row.level_id
    owned = (
        await seats.owned_levels(tx.session, account.id, service)
        if service.seats
        else tuple(level.id for level in service.levels if not level.withdrawn)
    )
    if len(owned) == 1:
        return owned[0]
    names = ", ".join(f"{level} ({service.level(level).name})" for level in owned)
    raise UsageError(f"{service.name} needs a level.", hint=f"Choose one of: {names}.")


async def password_for(
    tx: Transaction,
    catalogue: Catalogue,
    user: UserRow | None,
    service: Service,
    row: AssignmentRow,
) -> str | None:
    """See to it that a password is there for the back end, if it needs one; returns one that was made here."""
    if row.password_delivered or row.secret_id is not None or not service.gets_password:
        return None
    if service.password is PasswordUse.USER:
        if user is not None:
            await take_users_password(tx, catalogue, user, service, row)
        return None
    password = password_policy.generate()
    row.secret_id = await sealed_passwords.keep(tx, row.account_id, password)
    return password
