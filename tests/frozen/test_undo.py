"""What can be undone of a store of today, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from mission_control_tui.model.errors import Conflict, NotFound
from tests.cli.inprocess import answer, call, ok

DONE = 0
TRIED = {
    "add alias": NotFound.exit_code,  # it is removed already
    "archive managed-exchange": Conflict.exit_code,
    "change distribution-group": DONE,
    "change managed-exchange": DONE,
    "change members": DONE,
    "create distribution-group": DONE,
    "create mail-contact": DONE,
    "create shared-mailbox": DONE,
    "create user": Conflict.exit_code,  # services are left
    "delete user": NotFound.exit_code,  # purged
    "deprovision databases": DONE,
    "deprovision managed-exchange": DONE,
    "disable user": Conflict.exit_code,  # changed since
    "edit user": DONE,
    "enable user": DONE,
    "expire user": Conflict.exit_code,
    "provision databases": DONE,
    "provision managed-exchange": DONE,
    "remove alias": DONE,
    "remove distribution-group": DONE,
    "restore distribution-group": DONE,
    "restore user": DONE,
    "resume managed-exchange": Conflict.exit_code,  # changed since
    "set primary address": DONE,
    "suspend managed-exchange": Conflict.exit_code,  # changed since
    "transmogrify user": Conflict.exit_code,
}
"""The newest change of each kind, and with what its undo ends."""

WHY_NOT = {
    "allow removal": "What was allowed may be done already",
    "buy databases": "An order is not undone here",
    "cancel request": "State the wish again instead",
    "purge user": "What was purged is gone for good",
    "reset password": "The password before is not kept",
    "reset status": "It wished nothing of its own",
    "retry request": "Undo the wish that it tried again",
    "start bulk": "The password before is not kept",
    "save template": "mission-control templates save",
}

pytestmark = pytest.mark.usefixtures("frozen")


def newest() -> dict[str, str]:
    """Action -> the number of the newest change of that kind."""
    told = answer("audit", "--limit", "1000")["entries"]
    return {entry["action"]: str(entry["id"]) for entry in reversed(told)}


def shown(name: str) -> Any:
    return answer("users", "show", name)


@pytest.mark.any_database
def test_each_kind_of_change_is_judged_as_it_was() -> None:
    numbers = newest()
    tried = {
        action: call("undo", "audit", numbers[action], "--dry-run", "--yes").code
        for action in TRIED
    }
    assert tried == TRIED
    for action, why in WHY_NOT.items():
        refused = call("undo", "audit", numbers[action], "--dry-run")
        assert refused.code == Conflict.exit_code
        assert why in refused.err


@pytest.mark.any_database
def test_changes_are_undone() -> None:
    numbers = newest()
    for action in ("edit user", "remove alias", "set primary address", "restore user"):
        ok("undo", "audit", numbers[action], "--yes", "--force")
    assert shown("dora@acme.example")["title"] == ""
    ada = shown("ada")
    assert ada["primary_address"] == "ada@acme.example"
    assert "lovelace@acme.example" in str(ada)
    assert "back@acme.example" in ok("users", "bin").out
    ok("undo", "audit", numbers["change distribution-group"], "--yes")
    assert answer("objects", "show", "sales@acme.example")["object"]["name"] == "Sales"
    ok("undo", "audit", numbers["provision managed-exchange"], "--yes")
    ok("undo", "bulk", "6", "--yes")
    undoing = answer("bulk", "list")["bulks"][0]
    assert (undoing["action"], undoing["undoes"]) == ("restate", 6)
    assert newest()["deprovision managed-exchange"] > numbers["provision managed-exchange"]
