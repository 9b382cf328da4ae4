"""What a catalogue file may say about objects of an account: groups, contacts, shared mailboxes."""

from __future__ import annotations

from collections.abc import Iterator

from mission_control_tui.model.catalogue.file.document import FileProblem, Node, absent
from mission_control_tui.model.catalogue.types import USER_MEMBER
from mission_control_tui.model.catalogue.values import REGISTERED, ValueType
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.text.clean import harmless

_NAMING = frozenset({ValueType.USER, ValueType.USERS, ValueType.RECIPIENT, ValueType.DOMAIN})
_KEYS = ("address", "included_with", "roles")


def with_article(subject: SubjectKind) -> str:
    """Return the word for a subject as the end of a sentence has it."""
    vowels = (SubjectKind.ACCOUNT, SubjectKind.OBJECT)
    return f"{'an' if subject in vowels else 'a'} {subject}"


def check_objects(root: Node, service: Node) -> Iterator[FileProblem]:
    """Everything wrong with what only a service of objects has, and with what it must not have."""
    subject = service.word("subject", SubjectKind, SubjectKind.USER)
    if subject is None:
        return
    yield from _naming(service, subject)
    yield from _password(service, subject)
    if subject is not SubjectKind.OBJECT:
        for key in _KEYS:
            if service.has(key):
                what = f"a service of {with_article(subject)} has no {key}"
                yield FileProblem(service.at(key), what, 'only one with subject = "object" has')
        return
    yield from _plain(service)
    yield from _included(root, service)
    for role in service.children("roles"):
        yield from _role(root, role)


def _naming(service: Node, subject: SubjectKind) -> Iterator[FileProblem]:
    """Yield each option that names people, addresses or domains where nobody could give them."""
    if subject is SubjectKind.USER:
        return
    for option in service.children("options"):
        kind = option.text("type")
        if kind in REGISTERED:
            what = f'only a service of users has options with type = "{kind}"'
            hint = f"{with_article(subject)} has no further addresses"
            yield FileProblem(option.at("type"), what, hint)
        elif kind in _NAMING and subject is not SubjectKind.OBJECT:
            what = f'a service of {with_article(subject)} has no options with type = "{kind}"'
            yield FileProblem(option.at("type"), what, 'leave it out, or take type = "text"')


def _password(service: Node, subject: SubjectKind) -> Iterator[FileProblem]:
    """Yield a password where nobody has one: only users log in."""
    if subject in (SubjectKind.USER, SubjectKind.DIRECTORY):
        return
    if service.text("password") not in (None, "none"):
        what = f"{with_article(subject)} has no password"
        yield FileProblem(service.at("password"), what, "leave it out: people log in as themselves")


def _plain(service: Node) -> Iterator[FileProblem]:
    """Yield what is wrong with an object: it is there once, at one level, without seats of its own."""
    if service.flag("seats", default=True):
        what = "objects have no seats: they are included with what the account owns"
        yield FileProblem(service.at("seats"), what, "set seats = false, and included_with")
    if len(service.children("levels")) > 1:
        yield FileProblem(
            service.at("levels", 1), "a service of objects has one level", "take it out"
        )
    if (service.number("instances") or 1) > 1:
        what = "an object has its service once"
        yield FileProblem(service.at("instances"), what, "leave it out: make several objects")


def _included(root: Node, service: Node) -> Iterator[FileProblem]:
    for index, word in service.words("included_with"):
        path = service.at("included_with", index)
        owned = root.child("services", word)
        if owned is None:
            yield absent(path, "service", word, root.ids("services"))
        elif not owned.flag("seats", default=True):
            what = f"{harmless(word)} has no seats that an account could own"
            yield FileProblem(path, what, "name a service with seats")


def _role(root: Node, role: Node) -> Iterator[FileProblem]:
    kinds = [
        service.text("id") or ""
        for service in root.children("services")
        if service.word("subject", SubjectKind, SubjectKind.USER) is SubjectKind.OBJECT
    ]
    accepts = [word for _, word in role.words("accepts")]
    yield from role.unknown("accepts", "kind of member", [USER_MEMBER, *kinds])
    for index, word in role.words("requires"):
        path = role.at("requires", index)
        required = root.child("services", word)
        if required is None:
            yield absent(path, "service", word, root.ids("services"))
        elif required.word("subject", SubjectKind, SubjectKind.USER) is not SubjectKind.USER:
            what = f"{harmless(word)} is no service of users"
            yield FileProblem(path, what, "name what a user must have to be a member")
        elif accepts and USER_MEMBER not in accepts:
            yield FileProblem(path, "this role accepts no users", "leave requires out")
