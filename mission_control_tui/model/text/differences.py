"""Values and changes in words, on one line, for screens, commands and tickets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mission_control_tui.model.text.clean import harmless

_WORDS = {"in_bin": "in the recycling bin"}
"""What is called otherwise than it is stored."""


def value_text(value: object) -> str:
    """Return a value for people, on one line; an empty one is "none"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_text(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(value_text(item) for item in value) or "none"
    return harmless(str(value))


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """Yield what changed, a line for each: "title: Analyst -> Manager"."""
    for key in dict.fromkeys([*before, *after]):
        label = harmless(_WORDS.get(key, key.replace("_", " ")))
        if key not in before:
            yield f"{label}: {value_text(after[key])}"
        elif key not in after:
            yield f"{label}: was {value_text(before[key])}"
        elif before[key] != after[key]:
            yield f"{label}: {value_text(before[key])} -> {value_text(after[key])}"


def difference_words(
    theirs: Mapping[str, tuple[object, object]], labels: Mapping[str, str]
) -> list[str]:
    """Return what somebody else changed: `Title: "x" -> "y"`."""

    def said(value: object) -> str:
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value)) or "nothing"
        return {True: "yes", False: "no", None: "nothing", "": "nothing"}.get(
            value if isinstance(value, str | bool | None) else str(value), f'"{value}"'
        )

    return [
        f"{labels.get(name, name.replace('_', ' '))}: {said(then)} -> {said(now)}"
        for name, (then, now) in theirs.items()
    ]
