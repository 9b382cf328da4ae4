"""What the audit stores is read back as what it says; what a later version stored stays readable."""

from __future__ import annotations

import pytest

from mission_control_tui.model.audit_actions import AuditAction, parse_action
from tests.frozen.test_reading import ACTIONS

LATER = {"archive managed-exchange", "transmogrify user"}


@pytest.mark.parametrize("action", AuditAction)
def test_an_action_is_read_as_it_was_stored(action: AuditAction) -> None:
    assert parse_action(action.stored()) == (action, "")


def test_what_was_sold_follows_the_action() -> None:
    stored = AuditAction.RESET_PASSWORD.stored("databases")
    assert stored == "reset password databases"
    assert parse_action(stored) == (AuditAction.RESET_PASSWORD, "databases")
    assert parse_action("remove domain") == (AuditAction.REMOVE_DOMAIN, "")
    assert parse_action("remove domain-names") == (AuditAction.REMOVE, "domain-names")


def test_every_stored_action_is_known_but_those_of_a_later_version() -> None:
    unknown = {stored for stored in ACTIONS if parse_action(stored)[0] is None}
    combined = {stored for stored in unknown if stored.startswith(("schedule ", "subscription "))}
    assert unknown - combined == LATER
