"""Where a light leads: to the screen on which what it shows is looked at and mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mission_control_tui.model.states import SubjectKind, Word

if TYPE_CHECKING:
    from mission_control_tui.model.views import AssignmentView


def light_place(view: AssignmentView) -> tuple[str, tuple[object, ...]]:
    """Return the screen by its name, and what it takes."""
    if view.user_id:
        return "provision", (view.user_id, view.id)
    if view.object_id:
        return "object", (view.object_id,)
    if view.word is Word.TERM_OVER:
        return "account", ("domains",)
    if view.is_orphan:
        return "requests", (view.request_id,)
    if view.subject_kind in (SubjectKind.DOMAIN, SubjectKind.ACCOUNT):
        name = view.subject if view.subject_kind is SubjectKind.DOMAIN else ""
        return "provision", ("", view.id, view.subject_kind.value, name)
    return "requests", (view.request_id,)
