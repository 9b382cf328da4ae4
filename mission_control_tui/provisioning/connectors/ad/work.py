"""Carrying out one step on a domain controller.

A change of an account names the mark that was seen, so that it is refused where another one has been written since:
deleting that value and adding the new one is part of the same request. Groups are changed after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ldap3
from ldap3.core import results

from mission_control_tui.connect import (
    ConnectorError,
    DesiredState,
    ErrorKind,
    Note,
    ObservedState,
    Step,
    Wish,
)
from mission_control_tui.provisioning.connectors.ad import values
from mission_control_tui.provisioning.connectors.ad.errors import WEAK_PASSWORD
from mission_control_tui.provisioning.connectors.ad.observe import (
    ACCOUNT_NAME,
    EXPIRES_AT,
    GROUPS,
    GROUPS_STEP,
    NEVER_EXPIRES,
    PERSON,
    Place,
    find,
    member_of,
    tells_all,
)
from mission_control_tui.provisioning.connectors.ad.session import Entry, Session, not_there

CLASSES = ("top", "person", "organizationalPerson", "user")
COMPLEX = 1
"""The bit of pwdProperties that demands several kinds of characters."""

Changes = dict[str, list[tuple[str, list[object]]]]


@dataclass(frozen=True, slots=True)
class StepExecution:
    """One step on one account. `entry` and `seen` are what was there when the step began, `groups` the level's."""

    session: Session
    place: Place
    desired: DesiredState
    entry: Entry | None
    seen: ObservedState
    groups: Sequence[str]

    def carry_out(self, step: Step, *, removing: bool) -> None:
        """Do the changes of `step`."""
        try:
            if self.entry is None:
                self._make()
            elif step.name == GROUPS_STEP:
                if removing:
                    # An older worker must find the newer fence before anything is taken away.
                    self._write(self.entry, {}, self._password)
                self._set_groups(self.entry, () if removing else self.groups)
            elif removing:
                self._remove(self.entry)
            else:
                self._change(self.entry, {change.what for change in step.changes})
        except ConnectorError as error:
            if error.code == WEAK_PASSWORD:
                error.remedy = f"Set another password{self._policy()}."
            raise

    def _make(self) -> None:
        desired, unit = self.desired, self.place.unit_of(self.desired)
        flags = values.NORMAL | (values.DISABLED if desired.state is Wish.SUSPENDED else 0)
        attributes: dict[str, object] = {
            "sAMAccountName": desired.name,
            self.place.mark: self._note((desired.mark.generation, desired.secret_id)),
            **{
                attribute: str(desired.attributes[name])
                for name, attribute in PERSON.items()
                if desired.attributes.get(name)
            },
        }
        if desired.attributes.get(NEVER_EXPIRES):
            flags |= values.PASSWORD_NEVER_EXPIRES
        if desired.attributes.get(EXPIRES_AT):
            attributes["accountExpires"] = values.expiry_value(str(desired.attributes[EXPIRES_AT]))
        if desired.secret is not None:
            attributes["unicodePwd"] = values.password_value(desired.secret)
            attributes |= {"pwdLastSet": "0"} if self._must_change else {}
        attributes["userAccountControl"] = str(flags)
        name = f"CN={values.escaped(desired.name)},{unit}"
        try:
            self._add(name, attributes, unit)
        except ConnectorError as error:
            if error.code == str(results.RESULT_ENTRY_ALREADY_EXISTS):
                raise self._taken(name) or error from None
            raise

    def _add(self, name: str, attributes: dict[str, object], unit: str) -> None:
        try:
            self.session.add(name, CLASSES, attributes)
        except ConnectorError as error:
            if error.code != str(results.RESULT_NO_SUCH_OBJECT):
                raise
            if unit == self.place.unit:
                raise not_there(unit, "unit") from None
            self._make_unit(unit)
            self.session.add(name, CLASSES, attributes)

    def _make_unit(self, unit: str) -> None:
        """Make the organizational unit of an account that nobody was put into yet."""
        try:
            self.session.add(unit, ("top", "organizationalUnit"), {})
        except ConnectorError as error:
            if error.code == str(results.RESULT_NO_SUCH_OBJECT):
                raise not_there(values.parent_of(unit), "unit") from None
            if error.code != str(results.RESULT_ENTRY_ALREADY_EXISTS):
                raise

    def _taken(self, name: str) -> ConnectorError | None:
        """Return what else has the account's names; None where it can be seen by the next look."""
        if find(self.session, self.place, self.desired) is not None:
            return None
        where = f" below {self.place.base}" if self.session.entry(name, ("cn",)) is None else ""
        return ConnectorError(
            ErrorKind.CONFLICT,
            f"Another object has the name {self.desired.name} ({name}), which is not seen{where}",
            remedy="Let the directory's administrator rename it.",
            code="taken",
        )

    def _change(self, entry: Entry, whats: set[str]) -> None:
        desired = self.desired
        changes: Changes = {}
        password = (0, "") if "owner" in whats else self._password
        if "password" in whats and desired.secret is not None:
            password = desired.mark.generation, desired.secret_id
            changes["unicodePwd"] = _set(values.password_value(desired.secret))
            if self._must_change:
                changes["pwdLastSet"] = _set("0")
        for name, attribute in PERSON.items():
            if f"attributes.{name}" in whats:
                changes[attribute] = _set(str(desired.attributes.get(name) or ""))
        if f"attributes.{ACCOUNT_NAME}" in whats:
            changes["sAMAccountName"] = _set(desired.name)
        if f"attributes.{EXPIRES_AT}" in whats:
            moment = str(desired.attributes.get(EXPIRES_AT) or "")
            changes["accountExpires"] = _set(values.expiry_value(moment))
        if whats & {"state", f"attributes.{NEVER_EXPIRES}"}:
            changes["userAccountControl"] = _set(str(self._flags(entry)))
        self._write(entry, changes, password)

    def _remove(self, entry: Entry) -> None:
        if not self.place.removed_unit:
            # What carries another mark by now is not ours to delete.
            self._write(entry, {}, self._password)
            self.session.delete(entry.dn)
            return
        own = self.seen.external_id.replace("-", "")[:16]
        freed = f"gone{own}"
        changes: Changes = {
            "sAMAccountName": _set(freed),
            "userAccountControl": _set(str(entry.number("userAccountControl") | values.DISABLED)),
            **{name: _set("") for name in ("userPrincipalName", "mail") if entry.raw(name)},
        }
        self._write(entry, changes, self._password)
        try:
            self.session.move(entry.dn, f"CN={freed}", self.place.removed_unit)
        except ConnectorError as error:
            if error.code == str(results.RESULT_NO_SUCH_OBJECT):
                raise not_there(self.place.removed_unit, "removed_unit") from None
            raise

    def _write(self, entry: Entry, changes: Changes, password: tuple[int, str]) -> None:
        """Change the account and its mark in one request, which is refused where the mark is another by now."""
        acts: list[tuple[str, list[object]]] = [(ldap3.MODIFY_ADD, [self._note(password)])]
        before = entry.raw(self.place.mark)
        if before:
            acts.insert(0, (ldap3.MODIFY_DELETE, [before]))
        self.session.modify(entry.dn, {self.place.mark: acts, **changes})

    def _set_groups(self, entry: Entry, wanted: Sequence[str]) -> None:
        there = {values.dn_key(group): group for group in member_of(self.place, entry)}
        goal = {values.dn_key(group): group for group in wanted}
        for key, group in goal.items():
            if key not in there:
                self._member(group, entry.dn, ldap3.MODIFY_ADD)
        for key, group in there.items():
            if key not in goal:
                self._member(group, entry.dn, ldap3.MODIFY_DELETE)

    def _member(self, group: str, member: str, act: str) -> None:
        try:
            self.session.modify(group, {"member": [(act, [member])]})
        except ConnectorError as error:
            if error.code == str(results.RESULT_NO_SUCH_OBJECT):
                raise not_there(group, GROUPS) from None
            raise

    def _flags(self, entry: Entry) -> int:
        flags = entry.number("userAccountControl")
        suspended = self.desired.state is Wish.SUSPENDED
        flags = flags | values.DISABLED if suspended else flags & ~values.DISABLED
        bit = values.PASSWORD_NEVER_EXPIRES
        if self.desired.attributes.get(NEVER_EXPIRES):
            return flags | bit
        return flags & ~bit if tells_all(self.desired) else flags

    def _note(self, password: tuple[int, str]) -> str:
        return Note(self.desired.mark, self.desired.level, *password).to_text()

    @property
    def _password(self) -> tuple[int, str]:
        return self.seen.secret_generation, self.seen.secret_id

    @property
    def _must_change(self) -> bool:
        return bool(self.desired.attributes.get("must_change_password"))

    def _policy(self) -> str:
        """Return what the domain demands of a password, for a remedy."""
        root = self.session.entry("", ("defaultNamingContext",))
        where = root.text("defaultNamingContext") if root is not None else self.place.base
        domain = self.session.entry(where, ("minPwdLength", "pwdProperties", "pwdHistoryLength"))
        if domain is None or not domain.raw("minPwdLength"):
            return ""
        words = [f"of at least {domain.number('minPwdLength')} characters"]
        if domain.number("pwdProperties") & COMPLEX:
            words.append(
                "with three of capitals, small letters, digits and signs, without the user's name"
            )
        if domain.number("pwdHistoryLength"):
            words.append(f"that is none of the last {domain.number('pwdHistoryLength')}")
        return " " + ", ".join(words)


def _set(value: str | bytes) -> list[tuple[str, list[object]]]:
    """Return the acts that set one attribute, or take it away."""
    return [(ldap3.MODIFY_REPLACE, [value]) if value else (ldap3.MODIFY_DELETE, [])]
