"""What must hold between the tables of a catalogue file. Works on files of any shape, so that every
error is found at once: what the schema refuses is skipped here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

from mission_control_tui.model.catalogue.backend_names import PLACEHOLDERS, placeholders
from mission_control_tui.model.catalogue.file.document import FileProblem, Node, absent
from mission_control_tui.model.catalogue.file.group_rules import check_objects, with_article
from mission_control_tui.model.catalogue.file.rules import check_rule
from mission_control_tui.model.catalogue.types import ApprovalRule, PasswordUse, PurchaseKind
from mission_control_tui.model.states import SubjectKind
from mission_control_tui.model.text.clean import harmless
from mission_control_tui.model.text.counting import counted
from mission_control_tui.model.text.folding import fold

_ENDING = re.compile(r"(?:\.[a-z0-9-]+)+")
_OF_USERS = frozenset({SubjectKind.USER, SubjectKind.DIRECTORY})
_REQUIRABLE = {
    SubjectKind.USER: _OF_USERS | {SubjectKind.DOMAIN, SubjectKind.ACCOUNT},
    SubjectKind.DIRECTORY: frozenset(
        {SubjectKind.DIRECTORY, SubjectKind.DOMAIN, SubjectKind.ACCOUNT}
    ),
    SubjectKind.DOMAIN: frozenset({SubjectKind.DOMAIN, SubjectKind.ACCOUNT}),
    SubjectKind.ACCOUNT: frozenset({SubjectKind.ACCOUNT}),
    SubjectKind.OBJECT: frozenset({SubjectKind.DOMAIN, SubjectKind.ACCOUNT}),
}
"""Whose services those of a subject may require: its own, or what is there for it."""
_USERS_ONLY = frozenset({"username", "upn"})
_OBJECTS_ONLY = frozenset({"name"})


def check_references(
    root: Node, connectors: Collection[str] | None, stated: Collection[str]
) -> Iterator[FileProblem]:
    """Everything that is wrong between the tables.

    `connectors` are the known names, None to skip. The settings say which serve the services in `stated`.
    """
    yield from _currency(root)
    for key in ("services", "products"):
        yield from _unique(root, key)
    for service in root.children("services"):
        known = None if service.text("id") in stated else connectors
        yield from _service(root, service, known)
    yield from _cycles(root)
    for product in root.children("products"):
        yield from _product(root, product)


def _currency(root: Node) -> Iterator[FileProblem]:
    from iso4217 import Currency

    code = root.text("currency")
    if code is not None and code.upper() not in Currency.__members__:
        what = f"expected an ISO 4217 code such as AUD or EUR, found {harmless(code)!r}"
        yield FileProblem(root.at("currency"), what)


def _unique(owner: Node, key: str) -> Iterator[FileProblem]:
    """Yield names that stand twice: ids and names share one space within a list, because either finds a thing."""
    taken: dict[str, Node] = {}
    for child in owner.children(key):
        for kind in ("id", "name"):
            text = child.text(kind)
            if text is None:
                continue
            first = taken.setdefault(fold(text), child)
            if first is not child:
                what = f"the {kind} {harmless(text)!r} is taken already"
                hint = "ids and names are unique within their list"
                yield FileProblem(child.at(kind), what, hint, see=first.path)


def _service(
    root: Node, service: Node, connectors: Collection[str] | None
) -> Iterator[FileProblem]:
    connector = service.text("connector")
    if connectors is not None and connector is not None and connector not in connectors:
        yield absent(service.at("connector"), "connector", connector, sorted(connectors))
    yield from _requires(root, service)
    yield from _directory_password(root, service)
    yield from _name_pattern(service)
    for key in ("levels", "options", "roles"):
        yield from _unique(service, key)
    yield from check_objects(root, service)
    levels = service.ids("levels")
    for option in service.children("options"):
        had = [word for _, word in option.words("levels")]
        yield from option.unknown("levels", "level", levels)
        for level_id in option.inside("per_level").table:
            if level_id not in levels:
                yield absent(option.at("per_level", level_id), "level", level_id, levels)
            elif had and level_id not in had:
                what = f"the option is not offered at level {level_id}"
                yield FileProblem(option.at("per_level", level_id), what, "add it to levels")
        yield from check_rule(option)


def _requires(root: Node, service: Node) -> Iterator[FileProblem]:
    subject = service.word("subject", SubjectKind, SubjectKind.USER)
    for index, word in service.words("requires"):
        required = root.child("services", word)
        if required is None:
            yield absent(service.at("requires", index), "service", word, root.ids("services"))
            continue
        theirs = required.word("subject", SubjectKind, SubjectKind.USER)
        if subject and theirs and theirs not in _REQUIRABLE[subject]:
            what = f"{harmless(word)} belongs to {with_article(theirs)}, not to the same {subject}"
            whose = " or ".join(map(with_article, sorted(_REQUIRABLE[subject])))
            yield FileProblem(service.at("requires", index), what, f"require one of {whose}")


def _directory_password(root: Node, service: Node) -> Iterator[FileProblem]:
    """Yield a service whose users should sign in with a directory account that they need not have."""
    if service.text("password") != PasswordUse.DIRECTORY:
        return
    subject = service.word("subject", SubjectKind, SubjectKind.USER)
    if subject is SubjectKind.DIRECTORY:
        what = "users sign in with this very account: it has their password"
        yield FileProblem(service.at("password"), what, 'write password = "user"')
    elif subject is SubjectKind.USER and not any(map(_is_directory, _required(root, service))):
        what = "users would sign in with a directory account, and none is required"
        hint = 'add a service with subject = "directory" and password = "user" to requires'
        yield FileProblem(service.at("password"), what, hint)


def _is_directory(service: Node) -> bool:
    return (
        service.text("subject") == SubjectKind.DIRECTORY
        and service.text("password") == PasswordUse.USER
    )


def _required(root: Node, service: Node) -> Iterator[Node]:
    """Yield what a service requires, and what that requires."""
    seen: set[str] = set()
    left = [word for _, word in service.words("requires")]
    while left:
        word = left.pop()
        required = root.child("services", word)
        if required is not None and word not in seen:
            seen.add(word)
            yield required
            left += [further for _, further in required.words("requires")]


def _cycles(root: Node) -> Iterator[FileProblem]:
    """Yield each service that needs itself, at the entry that leads back to it."""
    needs = {
        found: [word for _, word in service.words("requires")]
        for service in root.children("services")
        if (found := service.text("id")) is not None
    }

    def reaches(start: str, goal: str) -> list[str] | None:
        trails = [[start]]
        seen = {start}
        while trails:
            trail = trails.pop()
            if trail[-1] == goal:
                return trail
            for following in needs.get(trail[-1], []):
                if following not in seen or following == goal:
                    seen.add(following)
                    trails.append([*trail, following])
        return None

    for service in root.children("services"):
        own = service.text("id")
        for index, word in service.words("requires"):
            trail = reaches(word, own) if own is not None else None
            if trail is not None:
                circle = " > ".join(harmless(needed) for needed in (own or "", *trail))
                what = f"these services need each other: {circle}"
                yield FileProblem(service.at("requires", index), what, "take one of them out")


def _name_pattern(service: Node) -> Iterator[FileProblem]:
    pattern = service.text("name_pattern")
    if pattern is None:
        return
    path = service.at("name_pattern")
    try:
        used = placeholders(pattern)
    except ValueError as error:
        yield FileProblem(path, f"{pattern!r} is no pattern: {error}", "write {account}_{username}")
        return
    allowed = PLACEHOLDERS
    subject = service.word("subject", SubjectKind, SubjectKind.USER)
    if subject in (SubjectKind.DOMAIN, SubjectKind.ACCOUNT, SubjectKind.OBJECT):
        allowed = allowed - _USERS_ONLY
    if subject is not SubjectKind.OBJECT:
        allowed = allowed - _OBJECTS_ONLY
    for unknown in sorted(used - allowed):
        yield absent(path, "placeholder", unknown, sorted(allowed))
    if not used:
        yield FileProblem(path, "every name would be the same", "add a placeholder: {username}")
    if (service.number("instances") or 1) > 1 and "instance" not in used:
        what = "a subject may have several instances, which this cannot tell apart"
        yield FileProblem(path, what, "add {instance}")


def _product(root: Node, product: Node) -> Iterator[FileProblem]:
    for key in ("levels", "extensions", "fields"):
        yield from _unique(product, key)
    buys = product.word("buys", PurchaseKind, PurchaseKind.SEATS)
    yield from _terms_and_quantity(product)
    if buys is PurchaseKind.SEATS and product.text("approval") == ApprovalRule.UNCHECKED:
        what = "only names of domains can be unchecked"
        yield FileProblem(product.at("approval"), what, f'"{ApprovalRule.ALWAYS}" lets all wait')
    for level in product.children("levels"):
        yield from _grant(root, level, buys)
        if buys is PurchaseKind.SEATS:
            yield from _prices(product, level)
        elif buys is PurchaseKind.DOMAIN and level.has("prices"):
            what = "a product that buys domains has its prices in its extensions"
            yield FileProblem(level.at("prices"), what, "move them there")
    yield from _extensions(product, buys)
    known = product.ids("extensions")
    for field in product.children("fields"):
        yield from field.unknown("extensions", "extension", known)
        yield from check_rule(field)


def _terms_and_quantity(product: Node) -> Iterator[FileProblem]:
    terms = product.table.get("terms")
    if isinstance(terms, list):
        counts = Counter(term for term in terms if isinstance(term, int))
        for term in (term for term, count in counts.items() if count > 1):
            yield FileProblem(product.at("terms"), f"{term} stands there twice", "keep it once")
    fewest, most = product.number("min_quantity") or 1, product.number("max_quantity")
    if most is not None and most < fewest:
        what = f"expected at least min_quantity, {fewest}, found {most}"
        yield FileProblem(product.at("max_quantity"), what)


def _grant(root: Node, level: Node, buys: PurchaseKind | None) -> Iterator[FileProblem]:
    service_id, level_id = level.text("grants_service"), level.text("grants_level")
    if service_id is None:
        return
    service = root.child("services", service_id)
    if service is None:
        known = root.ids("services")
        yield absent(level.at("grants_service"), "service", service_id, known)
        return
    has_seats = service.flag("seats", default=True)
    is_domain = service.text("subject") == SubjectKind.DOMAIN and not has_seats
    if buys is PurchaseKind.DOMAIN and not is_domain:
        what = "a product that buys domains grants a service of domains without seats"
        yield FileProblem(level.at("grants_service"), what, 'subject = "domain", seats = false')
    if buys is PurchaseKind.SEATS and not has_seats:
        what = f"service {service_id} has no seats to grant"
        yield FileProblem(level.at("grants_service"), what, "set its seats = true")
    granted = service.child("levels", level_id) if level_id is not None else None
    if granted is None and level_id is not None:
        known = service.ids("levels")
        yield absent(level.at("grants_level"), f"level of service {service_id}", level_id, known)
    if granted is not None and granted.flag("withdrawn") and not level.flag("withdrawn"):
        what = f"level {level_id} of service {service_id} is withdrawn, yet sold here"
        yield FileProblem(level.at("grants_level"), what, "set withdrawn = true here as well")


def _prices(product: Node, priced: Node) -> Iterator[FileProblem]:
    terms = product.table.get("terms")
    if not isinstance(terms, list):
        return
    wanted = [str(term) for term in terms if isinstance(term, int)]
    given = priced.inside("prices").table
    if priced.has("prices") and not isinstance(priced.table["prices"], dict):
        return
    for term in wanted:
        if term not in given:
            what = f"the price for the term of {counted(int(term), 'month')} is missing"
            yield FileProblem(priced.at("prices"), what, f"write prices = {{ {term} = 1000 }}")
    for term in given:
        if wanted and term.isdigit() and term not in wanted:
            what = f"the product has no term of {counted(int(term), 'month')}"
            yield FileProblem(priced.at("prices", term), what, f"terms: {', '.join(wanted)}")


def _extensions(product: Node, buys: PurchaseKind | None) -> Iterator[FileProblem]:
    if buys is PurchaseKind.DOMAIN and not product.children("extensions"):
        what = "a product that buys domains needs at least one of [[products.extensions]]"
        yield FileProblem(product.at("extensions"), what)
    if buys is PurchaseKind.SEATS and product.has("extensions"):
        yield FileProblem(product.at("extensions"), 'only a product with buys = "domain" has these')
    for extension in product.children("extensions"):
        name = extension.text("name")
        if name is not None and not _ENDING.fullmatch(name):
            what = f"expected an ending of domain names such as .com.au, found {harmless(name)!r}"
            yield FileProblem(extension.at("name"), what, "lower case, with a dot in front")
        yield from _prices(product, extension)
