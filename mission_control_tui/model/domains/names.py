"""Domain names as they are typed, stored and shown, and who may hold an Australian one. Needs no database."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mission_control_tui.model.catalogue.values import Value, ValueRule, ValueType
from mission_control_tui.model.errors import InvalidInput
from mission_control_tui.model.people.address_syntax import domain_letters
from mission_control_tui.model.text.folding import fold

_RULE = ValueRule(id="domain", name="Domain name", type=ValueType.DOMAIN, required=True)


def normalise(typed: str) -> str:
    """Return the form that is stored and compared: lower case, ASCII (IDNA 2008), no final dot, at least two labels.

    Raises InvalidInput naming what breaks a rule (RFC 1123 and RFC 5890: letters, digits and inner hyphens, 63 octets
    in a label, 253 in all).
    """
    return str(_RULE.validate(typed))


def shown(name: str) -> str:
    """Return a stored name for people: with its letters where it has other than ASCII's, else as it is."""
    letters = domain_letters(name)
    return name if letters == name else f"{letters} ({name})"


def reading(typed: str) -> str:
    """Return what a name that is typed in its ASCII form reads, "" where its letters can be seen.

    Nobody sees from that form what such a name is, or that it is a typing mistake: every door that takes a domain asks.
    """
    if "xn--" not in typed.casefold():
        return ""
    try:
        stored = normalise(typed)
    except InvalidInput:
        # Whoever takes the name refuses it, together with what else is wrong.
        return ""
    letters = domain_letters(stored)
    return "" if letters == stored else letters


def reading_question(typed: str) -> str:
    """Return what is asked about a name before it is taken, "" where nothing is."""
    letters = reading(typed)
    return f"{typed} reads {letters}: is that meant?" if letters else ""


class Evidence(StrEnum):
    """Which number can show that a kind of organisation exists in Australia."""

    COMPANY = "an ACN, or the ABN of a company"
    BUSINESS = "an ABN"


# auDA's kinds of registrant whose claim the number by itself can show; what is not here a person has to look at.
_EVIDENCE = {
    "company": Evidence.COMPANY,
    "registered-business": Evidence.BUSINESS,
    "sole-trader": Evidence.BUSINESS,
    "partnership": Evidence.BUSINESS,
}
TYPE_FIELD = "eligibility-type"
NAME_FIELD = "eligibility-name"
NUMBER_FIELD = "eligibility-number"
HOLDER_FIELD = "registrant-name"


def eligibility_doubts(answers: Mapping[str, Value]) -> tuple[str, ...]:
    """Compare the answers of a purchase: the kind of registrant with its number, the names with each other.

    Returns what does not agree, for the person who has to approve. Answers are known by the ids that docs/catalogue.md
    gives for them; a product that does not ask is not judged. That a number's check digits are right was verified
    before, by the field's type.
    """
    doubts: list[str] = []
    kind, number = _text(answers, TYPE_FIELD), _text(answers, NUMBER_FIELD)
    if kind and kind not in _EVIDENCE:
        doubts.append(f"Nothing here can verify the eligibility type {kind}.")
    elif kind and not _shows(number, _EVIDENCE[kind]):
        doubts.append(f"The eligibility type {kind} needs {_EVIDENCE[kind]}, not {number}.")
    holder, registered = _text(answers, HOLDER_FIELD), _text(answers, NAME_FIELD)
    if kind and registered and fold(registered) != fold(holder):
        doubts.append(f"The registered name {registered!r} is not the registrant {holder!r}.")
    return tuple(doubts)


def _text(answers: Mapping[str, Value], field: str) -> str:
    value = answers.get(field)
    return value if isinstance(value, str) else ""


def _shows(number: str, evidence: Evidence) -> bool:
    from stdnum.au import abn, acn

    if evidence is Evidence.BUSINESS:
        return bool(abn.is_valid(number))
    # A company's ABN is two check digits before its ACN (Australian Business Register).
    return bool(acn.is_valid(number) or (abn.is_valid(number) and acn.is_valid(number[2:])))
