"""`drafts`: your own unfinished forms, which the console offers to go on with."""

from __future__ import annotations

import click

from mission_control_tui.cli.common.options import exports, reads
from mission_control_tui.cli.common.output import attributes, line, say, when
from mission_control_tui.cli.common.parameters import argument
from mission_control_tui.cli.common.results import tell_survey
from mission_control_tui.cli.common.session import Session, Survey
from mission_control_tui.model.text.differences import value_text


@click.group()
def drafts() -> None:
    """Your unfinished forms: list, show, discard."""


@drafts.command("list")
@exports
@reads("mission-control drafts list", "mission-control drafts list --csv")
def list_(session: Session) -> None:
    """Your drafts in all accounts, the newest first. No other operator sees them."""
    from mission_control_tui.model.operators.drafts import list_drafts

    found = session.run(lambda store: list_drafts(store, session.caller))
    tell_survey(
        session,
        "drafts",
        Survey(found, {draft.account_id: draft.account_code for draft in found}),
        ("ID", "FORM", "WHEN", "ABOUT"),
        lambda draft: (draft.id, draft.kind, when(draft.updated_at), draft.title or "-"),
        attributes,
        nothing="You have no drafts.",
    )


@drafts.command()
@argument("draft", type=int)
@reads("mission-control drafts show 1")
def show(session: Session, draft: int) -> None:
    """Show what was typed in a draft. Passwords are never kept."""
    from mission_control_tui.model.operators.drafts import show_draft

    found = session.run(lambda store: show_draft(store, session.caller, draft))
    if session.printed(found):
        return
    line(f"{found.kind} {found.title}, account {found.account_code}, {when(found.updated_at)}")
    for name, value in found.content.items():
        line(f"  {name.replace('_', ' ')}: {value_text(value)}")


@drafts.command()
@argument("draft", type=int)
@reads("mission-control drafts discard 1")
def discard(session: Session, draft: int) -> None:
    """Forget a draft."""
    from mission_control_tui.model.operators.drafts import discard_draft

    session.run(lambda store: discard_draft(store, session.caller, draft))
    if not session.printed({"discarded": draft}):
        say(f"Draft {draft} is forgotten.")
