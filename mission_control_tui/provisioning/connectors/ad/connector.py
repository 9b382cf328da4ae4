"""Active Directory as a connector: `name` is the sAMAccountName of a user account.

The level is which of the groups that the settings name it is a member of; suspended is a disabled account. What is
deprovisioned is deleted, or moved to a unit for what is gone. Marks are in an attribute of the account, and each
change of it names the mark that was seen, so that an older one is refused. Of a group's members the directory compares
nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from mission_control_tui.connect import (
    ADOPT,
    LEVELS,
    LIST,
    LIST_UNMARKED,
    OWNER_MARK,
    PASSWORD,
    SUSPEND,
    Applied,
    ChangePlan,
    ConnectorError,
    Context,
    Declaration,
    DesiredState,
    ErrorKind,
    FenceGrade,
    Health,
    LevelLimits,
    Limit,
    Listed,
    Note,
    ObservedState,
    Page,
    Part,
    PlanAction,
    SecretReference,
    SettingsReader,
    Step,
    SubjectKind,
    Wish,
    blocked,
    plan_difference,
    step_to_do,
)
from mission_control_tui.provisioning.connectors.ad import values
from mission_control_tui.provisioning.connectors.ad.observe import (
    ACCOUNT,
    ACCOUNT_NAME,
    EXPIRES_AT,
    GROUPS,
    GROUPS_STEP,
    KEPT,
    NEVER_EXPIRES,
    Place,
    find,
    not_ours,
    observed_state,
    tells_all,
)
from mission_control_tui.provisioning.connectors.ad.session import (
    Server,
    Session,
    not_there,
    session,
)
from mission_control_tui.provisioning.connectors.ad.work import StepExecution

LAYOUT = (Part(ACCOUNT), Part(GROUPS_STEP, (f"limits.{GROUPS}",)))
LIMITS = {GROUPS: Limit()}
ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"
"""What a server of Active Directory says that it can."""

_LEVELS = {0: "2000", 2: "2003", 3: "2008", 4: "2008 R2", 5: "2012", 6: "2012 R2", 7: "2016"}
_LEVELS |= {10: "2025"}
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class ActiveDirectory:
    """User accounts of one domain, by one of its controllers; see docs/connectors.md for the settings."""

    declares = Declaration(
        capabilities=frozenset({LEVELS, SUSPEND, LIST, LIST_UNMARKED, OWNER_MARK, PASSWORD, ADOPT}),
        fence=FenceGrade.ADVISORY,
        subjects=frozenset({SubjectKind.USER, SubjectKind.DIRECTORY}),
        limits=LIMITS,
        attributes=KEPT,
        sets=frozenset({f"limits.{GROUPS}"}),
        needs_password=True,
    )

    def __init__(
        self,
        server: Server,
        place: Place,
        installation: str,
        *,
        levels: LevelLimits,
        enabled: bool,
    ) -> None:
        """`levels` win over the catalogue's limits; with `enabled` it may write."""
        self._server = server
        self._place = place
        self._installation = installation
        self._levels = levels
        self._enabled = enabled

    async def check(self) -> Health:
        """Log in, and see that units and groups are there and may be changed."""
        return await asyncio.to_thread(self._check)

    async def observe(self, desired: DesiredState) -> ObservedState:
        """Return the state of the account."""

        def observed() -> ObservedState:
            with session(self._server) as opened:
                return observed_state(self._place, find(opened, self._place, desired))

        return await asyncio.to_thread(observed)

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        """Return the difference, in the steps account and groups."""
        groups = self._groups(desired)
        if desired.wish is not Wish.ABSENT:
            refusal = self._refusal(desired, observed, groups)
            if refusal is not None:
                return refusal
        # Of a user who is no directory account only some of it is told, and the rest is left as it is.
        told = KEPT & desired.attributes.keys()
        found = str(observed.attributes.get(ACCOUNT_NAME) or "")
        alike = found.casefold() == desired.name.casefold()
        facts: dict[str, object] = {ACCOUNT_NAME: found if alike else desired.name}
        if tells_all(desired):
            facts[NEVER_EXPIRES] = bool(desired.attributes.get(NEVER_EXPIRES))
        if EXPIRES_AT in told:
            moment = values.expiry_value(str(desired.attributes[EXPIRES_AT] or ""))
            facts[EXPIRES_AT] = values.expiry_text(int(moment))
        return plan_difference(
            desired,
            observed,
            replace(self.declares, attributes=told),
            layout=LAYOUT,
            limits={GROUPS: groups},
            facts=facts,
        )

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Applied:
        """Do what still differs of one step."""

        def applied() -> Applied:
            with session(self._server) as opened:
                return Applied(self._carry_out(opened, desired, step.name))

        return await asyncio.to_thread(applied)

    async def list(self, cursor: str, marked_only: bool) -> Page:
        """Return accounts by name: those that carry our mark, or all of people. It is one page."""
        return await asyncio.to_thread(self._list, marked_only)

    async def aclose(self) -> None:
        """Do nothing: a session lives for one call."""

    def _carry_out(self, opened: Session, desired: DesiredState, step: str) -> str:
        """Do what still differs of one step; returns the account's own id."""
        entry = find(opened, self._place, desired)
        seen = observed_state(self._place, entry)
        fresh = self.plan(desired, seen)
        todo = step_to_do(fresh, step)
        if todo is not None:
            work = StepExecution(opened, self._place, desired, entry, seen, self._groups(desired))
            work.carry_out(todo, removing=fresh.action is PlanAction.DELETE)
        if entry is None and todo is not None:
            made = find(opened, self._place, desired)
            return observed_state(self._place, made).external_id
        return seen.external_id

    def _groups(self, desired: DesiredState) -> Sequence[str]:
        """Return the groups of the wished level, as the settings write them."""
        granted = self._levels.of(desired.level, desired.limits).get(GROUPS)
        written = {values.dn_key(group): group for group in self._place.groups}
        named = granted if isinstance(granted, (list, tuple)) else ()
        wanted = [str(group) for group in named if not values.dn_problem(str(group))]
        return sorted({written.get(values.dn_key(group), group) for group in wanted})

    def _refusal(
        self, desired: DesiredState, observed: ObservedState, groups: Sequence[str]
    ) -> ChangePlan | None:
        problem = values.name_problem(desired.name)
        if problem and not observed.exists:
            return blocked(
                ErrorKind.INVALID,
                problem,
                f"Give the service name_limit = {values.MAX_NAME_LENGTH} in the catalogue.",
            )
        strange = not_ours(self._place, groups)
        if strange:
            return blocked(
                ErrorKind.CONFIG,
                f"The level {desired.level} has groups that the connector may not change:"
                f" {'; '.join(strange)}",
                "Name them in groups of the connector's settings.",
            )
        return None

    def _check(self) -> Health:
        with session(self._server) as opened:
            root = opened.entry(
                "", ("supportedCapabilities", "domainFunctionality", "dnsHostName", "vendorName")
            )
            if root is None or ACTIVE_DIRECTORY not in root.texts("supportedCapabilities"):
                raise ConnectorError(
                    ErrorKind.CONFIG,
                    "The server is no domain controller of Active Directory",
                    remedy="Correct host.",
                )
            lacks = self._lacks(opened)
        if lacks and self._enabled:
            raise ConnectorError(
                ErrorKind.CONFIG,
                f"The user {self._server.user} may not {'; nor '.join(lacks)}",
                remedy="Delegate it, as docs/connectors.md says.",
            )
        level = _LEVELS.get(root.number("domainFunctionality"), "unknown")
        maker = " by Samba" if "Samba" in root.text("vendorName") else ""
        return Health(
            f"Active Directory{maker}, functional level {level}",
            "; ".join(
                filter(
                    None,
                    (root.text("dnsHostName"), f"may not {', nor '.join(lacks)}" if lacks else ""),
                )
            ),
        )

    def _lacks(self, opened: Session) -> Sequence[str]:
        """Return what our user may not do. Raises ConnectorError (config) for what is not there."""
        place, lacks = self._place, []
        by_account = "{account}" in place.unit
        units = {"base": ("", place.base), "removed_unit": ("user", place.removed_unit)}
        units["unit"] = (
            ("organizationalUnit", values.parent_of(place.unit))
            if by_account
            else ("user", place.unit)
        )
        for setting, (kind, name) in units.items():
            if not name:
                continue
            unit = opened.entry(name, ("allowedChildClassesEffective",))
            if unit is None:
                raise not_there(name, setting)
            if kind and kind not in unit.texts("allowedChildClassesEffective"):
                lacks.append(f"make a {kind} in {name}")
        for name in place.groups:
            group = opened.entry(name, ("allowedAttributesEffective",))
            if group is None:
                raise not_there(name, GROUPS)
            if "member" not in group.texts("allowedAttributesEffective"):
                lacks.append(f"change the members of {name}")
        return lacks

    def _list(self, marked_only: bool) -> Page:
        place = self._place
        marked = f"({place.mark}=*)" if marked_only else ""
        condition = f"(&(objectCategory=person)(objectClass=user)(sAMAccountName=*){marked})"
        with session(self._server) as opened:
            entries = opened.search(
                place.base,
                condition,
                (
                    *("sAMAccountName", "objectGUID", "userAccountControl"),
                    *("isCriticalSystemObject", place.mark),
                ),
            )
        found = []
        for entry in entries:
            note = Note.from_text(entry.text(place.mark))
            ours = note is not None and note.mark.installation == self._installation
            own = entry.text("isCriticalSystemObject") == "TRUE"
            if (marked_only and not ours) or own or values.is_in(entry.dn, place.removed_unit):
                continue
            disabled = entry.number("userAccountControl") & values.DISABLED
            found.append(
                Listed(
                    entry.text("sAMAccountName"),
                    note.mark if note else None,
                    values.guid_text(entry.raw("objectGUID")),
                    level=note.level if note else "",
                    state=Wish.SUSPENDED if disabled else Wish.PRESENT,
                )
            )
        return Page(tuple(sorted(found, key=lambda row: row.name)))


async def create(context: Context) -> ActiveDirectory:
    """Open the connector as its settings table says; raises InvalidInput with every problem."""
    reader = context.reader()
    password = reader.secret("password")
    if password is None:
        reader.note("password_file", "is missing")
        password = SecretReference("")
    server = Server(
        reader.host("host"),
        reader.port("port", 636),
        reader.text("user"),
        password,
        reader.tls(),
    )
    levels = reader.level_limits(LIMITS)
    place = _place(reader, levels)
    reader.finish()
    return ActiveDirectory(
        server, place, context.installation, levels=levels, enabled=context.enabled
    )


def _place(reader: SettingsReader, levels: LevelLimits) -> Place:
    base, unit = reader.text("base"), reader.text("unit")
    removed_unit = reader.text("removed_unit", "")
    problems = {name: values.dn_problem(name) for name in (base, unit, removed_unit) if name}
    for key, name in (("base", base), ("unit", unit), ("removed_unit", removed_unit)):
        if problems.get(name):
            reader.note(key, problems[name])
        elif key != "base" and name and problems.get(base) == "" and not values.is_in(name, base):
            reader.note(key, "must lie in base")
    if "{" in unit.replace("{account}", "") or unit.find("{account}") > unit.find(","):
        reader.note(
            "unit", "takes {account} alone, in its first part: OU={account},OU=Customers,..."
        )
    named = list(reader.texts("groups"))
    for level, limits in levels.levels.items():
        granted = limits.get(GROUPS)
        if not isinstance(granted, list):
            reader.note(f"levels.{level}.{GROUPS}", "must be a list of distinguished names")
        else:
            named += map(str, granted)
    groups: dict[str, str] = {}
    for group in named:
        if problem := values.dn_problem(group):
            reader.note(GROUPS, f"{group}: {problem}")
        else:
            groups.setdefault(values.dn_key(group), group)
    mark = reader.text("mark_attribute", "adminDescription")
    if not _ATTRIBUTE.fullmatch(mark):
        reader.note("mark_attribute", "must be the name of an attribute")
    return Place(base, unit, removed_unit, tuple(groups.values()), mark)
