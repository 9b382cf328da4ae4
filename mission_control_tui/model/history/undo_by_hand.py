"""What undo does not take back, and what to do instead: the command, with what the audit row says."""

from __future__ import annotations

from collections.abc import Callable

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.command_words import Words, command_line, edit_account
from mission_control_tui.model.store.tables.audit import AuditRow
from mission_control_tui.model.users.actions.password import Password
from mission_control_tui.model.views import AuditView

AuditedChange = AuditRow | AuditView

NOTHING = "It wished nothing of its own that could be taken back."
_ORDER = "An order is not undone here: buy, or remove what was bought."
_DECIDED = "An order that was decided stays decided: order it again."
_CLOCK = "It is what the clock and the worker found, and nobody's wish."
_OVER = "It ran, and what it did has an audit row of its own: undo that."

NEVER = {
    AuditAction.RESET_PASSWORD: Password.not_undone,
    AuditAction.BUY: _ORDER,
    AuditAction.REMOVE: _ORDER,
    AuditAction.RENEW_DOMAIN: "A renewal is taken back by `mission-control orders cancel`.",
    AuditAction.APPROVE_ORDER: "An approved order is taken back by `mission-control orders cancel`.",
    AuditAction.DECLINE_ORDER: _DECIDED,
    AuditAction.CANCEL_ORDER: _DECIDED,
    AuditAction.RETURN_ORDER: _DECIDED,
    AuditAction.PURGE_USER: "What was purged is gone for good.",
    AuditAction.RETRY_REQUEST: f"{NOTHING} Undo the wish that it tried again.",
    AuditAction.CANCEL_REQUEST: "State the wish again instead.",
    AuditAction.RESET_STATUS: NOTHING,
    AuditAction.ALLOW_PLAN: (
        "What was allowed may be done already: undo the wish that it was allowed for."
    ),
    AuditAction.ALLOW_REMOVAL: (
        "What was allowed may be done already: cancel its request, or provision again."
    ),
    AuditAction.REMOVE_ORPHAN: (
        "What was removed is gone with its data. What waits: mission-control requests cancel ID"
    ),
    AuditAction.UNLOCK_USER: NOTHING,
    AuditAction.START_BULK: "Undo the bulk by its number.",
    AuditAction.STOP_BULK: "Go on with what is left: mission-control bulk resume ID",
    AuditAction.RESUME_BULK: "Leave out what is left: mission-control bulk stop ID",
    AuditAction.CREATE_ACCOUNT: "An account is kept, with all that was billed to it.",
    AuditAction.CLOSE_STATEMENT: "A statement that was closed stays as it is.",
    AuditAction.SET_CONTACTS: "State them again: mission-control account contacts set ROLE",
    AuditAction.SCHEDULE: "Cancel what waits: mission-control schedule cancel ID",
    AuditAction.CHANGE_SCHEDULE: "Change it again: mission-control schedule change ID",
    AuditAction.CANCEL_SCHEDULE: "Schedule it again: mission-control schedule add",
    AuditAction.SCHEDULE_DONE: _OVER,
    AuditAction.SCHEDULE_FAILED: _OVER,
    AuditAction.SAVE_TEMPLATE: (
        "Save it as it was, or remove it: mission-control templates save, or templates remove"
    ),
    AuditAction.REMOVE_TEMPLATE: "Save it again: mission-control templates save NAME",
    AuditAction.SWITCH_CONNECTOR: "Name the other connector in the catalogue again, and load it.",
    AuditAction.DRIFT_FOUND: _CLOCK,
    AuditAction.DRIFT_GONE: _CLOCK,
    AuditAction.DOUBT_CLOCK: _CLOCK,
    AuditAction.CONFIRM_CLOCK: _CLOCK,
    AuditAction.RAISE_EPOCH: _CLOCK,
}


def _domain_added(row: AuditedChange) -> Words:
    if row.after.get("bought"):
        return ("remove", "PRODUCT", "--domain", row.target)
    return ("account", "remove-domain", row.target)


def _domain_removed(row: AuditedChange) -> Words:
    if row.before.get("bought"):
        return ("buy", "PRODUCT", "--domain", row.target)
    return ("account", "add-domain", row.target)


def _account(row: AuditedChange) -> Words:
    if "approval above" in row.before:
        return ("account", "approval", "--above", "AMOUNT")
    return edit_account(row.target, row.before)


_BACK: dict[AuditAction, Callable[[AuditedChange], Words]] = {
    AuditAction.ADD_DOMAIN: _domain_added,
    AuditAction.REMOVE_DOMAIN: _domain_removed,
    AuditAction.ALLOW_DOMAIN: lambda row: (
        *("account", "disallow-domain", row.target),
        *("--to", str(row.after.get("account", ""))),
    ),
    AuditAction.WITHDRAW_DOMAIN: lambda row: (
        *("account", "allow-domain", row.target),
        *("--to", str(row.before.get("account", ""))),
    ),
    AuditAction.EDIT_ACCOUNT: _account,
    AuditAction.RENAME_TEMPLATE: lambda row: (
        *("templates", "rename", str(row.after.get("name", ""))),
        str(row.before.get("name", "")),
    ),
    AuditAction.EXPIRE_USER: lambda row: ("users", "enable", row.target),
}


def instead(verb: AuditAction | None, row: AuditedChange) -> str:
    """Return what to do in place of an undo that there is none of."""
    if verb in NEVER:
        return NEVER[verb]
    if verb in _BACK:
        return f"Take it back by hand: {command_line(*_BACK[verb](row))}"
    return "Nothing of this kind can be undone. Change it again where it was changed."
