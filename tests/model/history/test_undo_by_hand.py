"""What is said of a change that undo does not take back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mission_control_tui.model.audit_actions import AuditAction
from mission_control_tui.model.history.undo import UndoCheck, judge
from mission_control_tui.model.views import AuditView


def judged(action: AuditAction, **about: object) -> UndoCheck:
    row = AuditView(
        *(1, datetime.now(UTC), "fred", "cli", "", str(action), "mail.contoso.com"),
        user_id="user" if about.get("of_user") else None,
        request_id=None,
        before={"account": "evil", "wish": "absent"},
        after={"account": "evil", "wish": "present"},
        assignment_id="service" if about.get("of_service") else None,
        version=1,
    )
    return judge(row)


@pytest.mark.parametrize(
    "action", [action for action in AuditAction if action is not AuditAction.EDIT]
)
def test_what_undo_does_not_take_back_says_what_to_do_instead(action: AuditAction) -> None:
    may_be = [
        judged(action, of_user=of_user, of_service=of_service)
        for of_user in (False, True)
        for of_service in (False, True)
    ]
    assert any(check.possible or "Nothing of this kind" not in check.why_not for check in may_be)


def test_a_yes_for_a_domain_and_its_withdrawal_name_each_other_s_command() -> None:
    allow = "mission-control account allow-domain mail.contoso.com --to evil"
    assert judged(AuditAction.WITHDRAW_DOMAIN).why_not.endswith(allow)
    disallow = "mission-control account disallow-domain mail.contoso.com --to evil"
    assert judged(AuditAction.ALLOW_DOMAIN).why_not.endswith(disallow)
