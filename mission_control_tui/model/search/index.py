"""Finding users as one types: by how a word of a name, a UPN, an alias, a username or a phone number begins.

What a user is found by is kept as folded terms; a typed prefix is then a range of an index. A term that is the
beginning of another of the same user's is left out: whatever finds it finds the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, false, func, insert, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from mission_control_tui.model.people.address_syntax import domain_letters, domain_of
from mission_control_tui.model.people.fields import FIELDS, FieldKind, UserDetails
from mission_control_tui.model.people.phones import digits_of
from mission_control_tui.model.store.tables.users import (
    AddressRow,
    SearchTermRow,
    SearchTextRow,
    UserRow,
)
from mission_control_tui.model.store.user_rows import to_details
from mission_control_tui.model.text.folding import fold, pieces

TERM_LIMIT = 320
"""Characters of a term; what is typed beyond them is not looked at."""

WORD_LIMIT = 8
"""Words of a query; further ones are not looked at."""

RARE = 2_000
"""Terms; up to so many are followed up one by one, above them whole ranges are intersected."""

_RANKED_UP_TO = 20_000
"""Terms of a word that are counted to tell which is the rarest."""

LAST = "\U0010ffff"
"""What comes after everything that begins with the text before it."""

ENDING = "<"
"""What a phone number's digits in reverse are kept behind; no word of a query begins so."""

START = "\n"
"""What each term stands behind in the row of all of a user's terms; no term has one."""

FEWEST_ENDING = 4
"""Digits from which a number is found by how it ends."""

_OUTER = " .,;:!?()[]{}<>\"'`*"
_PHONE = re.compile(r"\+?[\d\s().\-/]+")
_FEWEST_PHONE_DIGITS = 3
_PHONE_FIELDS = tuple(field.name for field in FIELDS if field.kind is FieldKind.PHONE)
SEARCHED_FIELDS = frozenset(
    {"upn", "username", "display_name", "first_names", "last_name", "country", *_PHONE_FIELDS}
)
"""The fields that terms are made of (the country is what national numbers are read by)."""


def terms_of(details: UserDetails, aliases: Iterable[str] = ()) -> list[str]:
    """Return what the user is found by, sorted; `aliases` are the addresses other than the UPN."""
    found: set[str] = set()
    for name in (details.display_name, details.first_names, details.last_name):
        for word in fold(name).split(" "):
            found.update(_parts(word.strip(_OUTER)))
    for address in (details.upn, *aliases):
        whole = fold(address)
        found.add(whole)
        found.update(pieces(whole.rpartition("@")[0]))
        found.update(_international(address))
    username = fold(details.username)
    found.update((username, *pieces(username)))
    for field in _PHONE_FIELDS:
        phone: str = getattr(details, field)
        if phone:
            forms = list(_phone_forms(phone, details.country))
            found.update(forms)
            # Parsed, the second form has no extension and no prefix that is dialled first.
            found.add(ENDING + forms[:2][-1][::-1])
    found.discard("")
    ordered = sorted(term[:TERM_LIMIT] for term in found)
    return [
        term
        for term, following in zip(ordered, [*ordered[1:], ""], strict=True)
        if not following.startswith(term)
    ]


def _international(address: str) -> Iterator[str]:
    """Yield the domain in ASCII and in its letters, alone and behind the local part, where the two differ."""
    local, _, domain = address.rpartition("@")
    if domain.isascii() and "xn--" not in domain:
        return
    stored = domain_of(address) or domain
    for name in {stored, fold(domain_letters(stored))}:
        yield name
        yield fold(f"{local}@") + name


def _parts(word: str) -> Iterator[str]:
    """O'Brien is found by o'brien, by obrien and by brien."""
    yield word
    parts = pieces(word)
    yield "".join(parts)
    yield from parts


def _phone_forms(phone: str, country: str) -> Iterator[str]:
    """Yield the digits as typed, as dialled from abroad, and as dialled within the country."""
    yield digits_of(phone)
    if not country and not phone.lstrip().startswith("+"):
        return
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, country or None)
    except phonenumbers.NumberParseException:
        return  # kept as typed, and found as typed
    for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.NATIONAL):
        yield digits_of(phonenumbers.format_number(number, form))
    yield phonenumbers.national_significant_number(number)


def words_of(query: str) -> list[str]:
    """Return the prefixes that all have to be found; a phone number is one, however spaced. Nothing to find: empty."""
    folded = fold(query)
    if _PHONE.fullmatch(folded):
        digits = digits_of(folded)
        if len(digits) >= _FEWEST_PHONE_DIGITS:
            return [digits[:TERM_LIMIT]]
    words = (word.strip(_OUTER).removeprefix("+")[:TERM_LIMIT] for word in folded.split(" "))
    return [word for word in dict.fromkeys(words) if word][:WORD_LIMIT]


async def index_user(
    session: AsyncSession,
    account_id: int,
    user_id: str,
    sort_key: str,
    in_bin: bool,
    terms: Sequence[str],
) -> None:
    """Replace what one user is found by."""
    await session.execute(delete(SearchTermRow).where(SearchTermRow.user_id == user_id))
    await session.execute(delete(SearchTextRow).where(SearchTextRow.user_id == user_id))
    await session.execute(
        insert(SearchTermRow), term_rows(account_id, user_id, sort_key, in_bin, terms)
    )
    await session.execute(insert(SearchTextRow), [text_row(account_id, user_id, terms)])


def term_rows(
    account_id: int, user_id: str, sort_key: str, in_bin: bool, terms: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the rows of one user's terms, for inserting many at once."""
    return [
        {
            "account_id": account_id,
            "in_bin": in_bin,
            "term": term,
            "user_id": user_id,
            "sort_key": sort_key,
        }
        for term in terms
    ]


def text_row(account_id: int, user_id: str, terms: Iterable[str]) -> dict[str, Any]:
    """Return the row in which the middles of one user's terms are looked for."""
    names: list[str] = []
    phones: list[str] = []
    for term in terms:
        if not term.startswith(ENDING):
            (phones if term.isdecimal() else names).append(f"{START}{term}")
    return {
        "account_id": account_id,
        "user_id": user_id,
        "names": "".join(names),
        "phones": "".join(phones),
    }


@dataclass(frozen=True, slots=True)
class QueryWords:
    """The words of a query, the rarest first; `rare` says that this one begins at most RARE terms."""

    ordered: tuple[str, ...]
    rare: bool

    def matches(
        self, account_id: int, *, in_bin: bool, intersect: bool | None = None
    ) -> Select[str, str]:
        """Return a statement for (sort key, user id) of all who match every word, in no order.

        Who has several terms that begin with the rarest word is there several times. `intersect` compares whole ranges,
        which is quicker for finding all of many; otherwise each match of the rarest word is asked for the others.
        """
        statement = select(SearchTermRow.sort_key, SearchTermRow.user_id).where(
            *_range(SearchTermRow, account_id, in_bin, self.ordered[0])
        )
        for word in self.ordered[1:]:
            if not self.rare if intersect is None else intersect:
                other = aliased(SearchTermRow)
                found = select(other.user_id).where(*_range(other, account_id, in_bin, word))
                statement = statement.where(SearchTermRow.user_id.in_(found))
            else:
                statement = statement.where(begins(SearchTermRow.user_id, word))
        return statement


def begins(user_id: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    """Tell whether one of the user's terms begins with `word`."""
    term = aliased(SearchTermRow)
    return select(term.user_id).where(term.user_id == user_id, begins_with(word, term)).exists()


def begins_with(word: str, row: type[SearchTermRow] = SearchTermRow) -> ColumnElement[bool]:
    """Tell whether a term begins with the word."""
    return and_(row.term >= word, row.term < word + LAST)


def forms(words: Sequence[str]) -> list[list[str]]:
    """Return the words, and once more with the longest digits of a phone as how a number ends."""
    digits = [
        word for word in words if len(word) >= FEWEST_ENDING and word.isascii() and word.isdecimal()
    ]
    if not digits:
        return [list(words)]
    longest = max(digits, key=len)
    ending = ENDING + longest[::-1]
    return [list(words), [ending if word == longest else word for word in words]]


def counted(statement: Select[*tuple[Any, ...]]) -> ColumnElement[int]:
    """Return how many rows the statement has, as a column."""
    return select(func.count()).select_from(statement.subquery()).scalar_subquery()


def _range(
    row: type[SearchTermRow], account_id: int, in_bin: bool, prefix: str
) -> tuple[ColumnElement[bool], ...]:
    return (
        row.account_id == account_id,
        row.in_bin == (true() if in_bin else false()),
        begins_with(prefix, row),
    )


async def ranked(
    session: AsyncSession, account_id: int, words: Sequence[str], *, in_bin: bool
) -> QueryWords:
    """Return the words by how many terms they begin."""
    if len(words) == 1:
        return QueryWords(tuple(words), rare=False)
    counts = [
        counted(
            select(SearchTermRow.term)
            .where(*_range(SearchTermRow, account_id, in_bin, word))
            .limit(_RANKED_UP_TO)
        )
        for word in words
    ]
    found = (await session.execute(select(*counts))).one()
    by_count = sorted(zip(found, words, strict=True))
    return QueryWords(tuple(word for _, word in by_count), by_count[0][0] <= RARE)


async def reindex(session: AsyncSession, row: UserRow, addresses: Iterable[AddressRow]) -> None:
    """Have the user found by what it is called now."""
    aliases = [address.address for address in addresses if address.address != row.upn]
    terms = terms_of(to_details(row), aliases)
    await index_user(session, row.account_id, row.id, row.sort_key, row.in_bin, terms)
