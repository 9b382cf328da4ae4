"""Questions that several commands ask."""

from __future__ import annotations

from collections.abc import Iterable

from mission_control_tui.cli.common.session import Session


def ask_reading(session: Session, names: Iterable[str]) -> None:
    """Ask about each domain name whose letters cannot be seen as it is typed. Raises Denied."""
    from mission_control_tui.model.domains.names import reading_question

    for name in names:
        if question := reading_question(name):
            session.confirm(question)
