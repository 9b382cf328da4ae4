"""What the audit says was done, as it is stored: one word list for those who record, undo and tell it."""

from __future__ import annotations

from enum import StrEnum


class AuditAction(StrEnum):
    """What was done. Those that are done to something sold are stored with its id after them: "provision databases"."""

    # To a service or product
    BUY = "buy"
    CHANGE = "change"
    CREATE = "create"
    DEPROVISION = "deprovision"
    EDIT = "edit"
    MOVE = "move"
    PROVISION = "provision"
    REMOVE = "remove"
    RESET_PASSWORD = "reset password"
    """Of a service; without an id the user's own."""
    RESTORE = "restore"
    RESUME = "resume"
    SUSPEND = "suspend"

    # To a user
    ADD_ALIAS = "add alias"
    CREATE_USER = "create user"
    DELETE_USER = "delete user"
    DISABLE_USER = "disable user"
    EDIT_USER = "edit user"
    ENABLE_USER = "enable user"
    EXPIRE_USER = "expire user"
    PURGE_USER = "purge user"
    REMOVE_ALIAS = "remove alias"
    RESTORE_USER = "restore user"
    SET_PRIMARY_ADDRESS = "set primary address"
    UNLOCK_USER = "unlock user"

    # To a group, contact or shared mailbox
    CHANGE_MEMBERS = "change members"

    # To an account and what it bought
    ADD_DOMAIN = "add domain"
    ALLOW_DOMAIN = "allow domain"
    APPROVE_ORDER = "approve order"
    CANCEL_ORDER = "cancel order"
    CLOSE_STATEMENT = "close statement"
    CREATE_ACCOUNT = "create account"
    DECLINE_ORDER = "decline order"
    EDIT_ACCOUNT = "edit account"
    REMOVE_DOMAIN = "remove domain"
    REMOVE_TEMPLATE = "remove template"
    RENEW_DOMAIN = "renew domain"
    RENAME_TEMPLATE = "rename template"
    RETURN_ORDER = "return order"
    SAVE_TEMPLATE = "save template"
    SET_CONTACTS = "set contacts"
    WITHDRAW_DOMAIN = "withdraw domain"

    # To the whole installation: in every account's audit
    CONFIRM_CLOCK = "confirm clock"
    DOUBT_CLOCK = "doubt clock"
    RAISE_EPOCH = "raise epoch"

    # To work that is queued, scheduled or under way
    ALLOW_PLAN = "allow plan"
    ALLOW_REMOVAL = "allow removal"
    CANCEL_REQUEST = "cancel request"
    CANCEL_SCHEDULE = "cancel schedule"
    CHANGE_SCHEDULE = "change schedule"
    DRIFT_FOUND = "drift found"
    DRIFT_GONE = "drift gone"
    REMOVE_ORPHAN = "remove orphan"
    RESET_STATUS = "reset status"
    RESUME_BULK = "resume bulk"
    RETRY_REQUEST = "retry request"
    SCHEDULE = "schedule"
    """Stored with the schedule's verb after it."""
    SCHEDULE_DONE = "schedule done"
    SCHEDULE_FAILED = "schedule failed"
    START_BULK = "start bulk"
    STOP_BULK = "stop bulk"
    SWITCH_CONNECTOR = "switch connector"

    def stored(self, of: str = "") -> str:
        """Return the text that is stored; `of` is the id of what was sold."""
        return f"{self} {of}" if of else str(self)


_ONE_WORD = {action for action in AuditAction if " " not in action}
_OF_SOLD = (_ONE_WORD - {AuditAction.SCHEDULE}) | {AuditAction.RESET_PASSWORD}
"""What is done to something sold: all that is one word, so that a new verb on a service is among them."""


def parse_action(stored: str) -> tuple[AuditAction | None, str]:
    """Return what was done, and the id of what was sold or "". What a later version stored is (None, "")."""
    action = _known(stored)
    if action is not None:
        return action, ""
    verb, _, ident = stored.rpartition(" ")
    action = _known(verb)
    return (action, ident) if action in _OF_SOLD else (None, "")


def _known(text: str) -> AuditAction | None:
    try:
        return AuditAction(text)
    except ValueError:
        return None
