"""Whose a service is: a user, the user's directory account, a domain, an object, or the account itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mission_control_tui.model.catalogue.types import Service
from mission_control_tui.model.command_words import Words
from mission_control_tui.model.errors import UsageError
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.store.tables.accounts import AccountRow, DomainRow
from mission_control_tui.model.store.tables.groups import ObjectRow
from mission_control_tui.model.store.tables.services import AssignmentRow
from mission_control_tui.model.store.tables.users import UserRow
from mission_control_tui.model.store.transaction import Transaction

_INSTEAD = {
    SubjectKind.USER: "Name the user: mission-control provision USER SERVICE.",
    SubjectKind.DIRECTORY: "Name the user: mission-control provision USER SERVICE.",
    SubjectKind.DOMAIN: "Name the domain: mission-control provision --domain NAME SERVICE.",
    SubjectKind.ACCOUNT: "It is the account's own: mission-control provision --of-account SERVICE.",
    SubjectKind.OBJECT: "Make one with `mission-control objects create`.",
}
_WHOSE = {
    SubjectKind.USER: "users",
    SubjectKind.DIRECTORY: "users' directory accounts",
    SubjectKind.DOMAIN: "domains",
    SubjectKind.ACCOUNT: "accounts",
    SubjectKind.OBJECT: "groups, contacts and shared mailboxes",
}


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """Whose service is meant, as an operator names it: a domain by its name, the account of the scope by none."""

    kind: SubjectKind
    name: str = ""

    @classmethod
    def of(cls, who: str | SubjectKey) -> SubjectKey:
        """Return the key itself; a text names a user."""
        return who if isinstance(who, SubjectKey) else cls(SubjectKind.USER, who)

    @property
    def words(self) -> Words:
        """How a command is told whose service is meant."""
        return subject_words(self.kind, self.name)


THE_ACCOUNT = SubjectKey(SubjectKind.ACCOUNT)


def of_domain(name: str) -> SubjectKey:
    """Return the key of a domain."""
    return SubjectKey(SubjectKind.DOMAIN, name)


def subject_words(kind: SubjectKind, name: str) -> Words:
    """Return how a command is told whose service is meant."""
    if kind is SubjectKind.DOMAIN:
        return ("--domain", name)
    return ("--of-account",) if kind is SubjectKind.ACCOUNT else (name,)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose service it is. `id` is the user's or object's id, the domain's or the account's number as text.

    `name` is the user's UPN, the domain's name, an object's address or the account's code.
    """

    kind: SubjectKind
    id: str
    name: str
    user: UserRow | None = None
    domain: DomainRow | None = None
    object: ObjectRow | None = None

    @property
    def user_id(self) -> str | None:
        """The user's id, where it is a user."""
        return self.user.id if self.user is not None else None

    @property
    def words(self) -> Words:
        """How a command is told whose service is meant."""
        return subject_words(self.kind, self.name)

    def having(self, service: Service) -> Subject:
        """Return who has this service: the user's directory account for one of that. Raises UsageError for others'."""
        if service.subject is self.kind:
            return self
        if self.user is not None and service.subject in (SubjectKind.USER, SubjectKind.DIRECTORY):
            return replace(self, kind=service.subject)
        raise wrong_subject(service, self.kind)


def wrong_subject(service: Service, kind: SubjectKind) -> UsageError:
    """Return the refusal for a service that subjects of this kind never have."""
    return UsageError(
        f"{service.name} is not given to {_WHOSE[kind]}: it belongs to the {service.subject}.",
        hint=_INSTEAD[service.subject],
    )


def user_subject(user: UserRow, kind: SubjectKind = SubjectKind.USER) -> Subject:
    """Return the user, or the user's own directory account."""
    return Subject(kind, user.id, user.upn, user=user)


def domain_subject(domain: DomainRow) -> Subject:
    """Return a domain name of the account."""
    return Subject(SubjectKind.DOMAIN, str(domain.id), domain.name, domain=domain)


def object_subject(row: ObjectRow) -> Subject:
    """Return a group, contact or shared mailbox of the account."""
    return Subject(SubjectKind.OBJECT, row.id, row.address, object=row)


def account_subject(account: AccountRow) -> Subject:
    """Return the account itself."""
    return Subject(SubjectKind.ACCOUNT, str(account.id), account.code)


async def subject_of(tx: Transaction, account: AccountRow, row: AssignmentRow) -> Subject:
    """Return whose a service of the account is."""
    kind = SubjectKind(row.subject_kind)
    if row.user_id is not None:
        return user_subject(await tx.session.get_one(UserRow, row.user_id), kind)
    if row.domain_id is not None:
        return domain_subject(await tx.session.get_one(DomainRow, row.domain_id))
    if row.object_id is not None:
        return object_subject(await tx.session.get_one(ObjectRow, row.object_id))
    return account_subject(account)
