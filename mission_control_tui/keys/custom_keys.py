"""An operator's own keys: which can be used, which clash, and what holds in the end.

A key means one thing on all screens, so that two verbs never have the same. Keys that terminals, multiplexers and
container tools keep for themselves, and those that edit the text of a field, cannot be taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mission_control_tui.keys.keymap import BY_ID, VERBS, Verb, key_word
from mission_control_tui.model.errors import Problem

WHERE = "console.keymap"

_NAMED = frozenset(
    {
        *(f"f{number}" for number in range(1, 13)),
        *("enter", "space", "escape", "delete", "insert", "backspace"),
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    }
)
_FREE_CONTROL = frozenset("glnorty")
"""Letters that may go with Ctrl."""

_EDITING = frozenset("aedwukxvf")
_KEPT_CONTROL: Mapping[str, str] = {
    "a": "GNU screen's own key",
    "b": "tmux's own key",
    "c": "the key that says how to quit",
    "h": "Backspace on many terminals",
    "i": "the same as Tab",
    "j": "the same as Enter",
    "m": "the same as Enter",
    "p": "Docker's own key",
    "q": "a key that stops and starts a terminal's output",
    "s": "a key that stops a terminal's output",
    "z": "the key that suspends a program",
}
_WHAT_IS_A_KEY = "One character, F1 to F12, a key's name such as pageup, or ctrl+ and a letter."


def what_is_wrong(key: str) -> str:
    """Return why `key` cannot be anybody's; empty when it can."""
    if key in ("tab", "shift+tab"):
        return "Tab goes to the next field or list everywhere"
    if len(key) == 1:
        usable = key.isprintable() and not key.isspace() and key != ","
        return "" if usable else "that is no key that can be pressed by itself"
    if key in _NAMED:
        return ""
    control, plus, letter = key.partition("+")
    if not plus or control not in ("ctrl", "alt", "shift", "super", "meta"):
        return f"there is no key {key!r}"
    if control != "ctrl" or "+" in letter:
        return "many terminals do not send that combination"
    if letter in _KEPT_CONTROL:
        return f"that is {_KEPT_CONTROL[letter]}"
    if letter in _EDITING:
        return "that edits the text in fields"
    return "" if letter in _FREE_CONTROL else "many terminals keep that for themselves"


def works_in_fields(key: str) -> bool:
    """Tell whether a key does something else in a field than being typed."""
    return len(key) > 1 and key != "space"


def keys_in(text: object) -> list[str]:
    """Return the keys that a value of the keymap names."""
    return [key.strip() for key in text.split(",") if key.strip()] if isinstance(text, str) else []


def default_keys(verb: Verb) -> tuple[str, ...]:
    """Return the keys of a verb that nobody has changed."""
    return tuple(filter(None, (verb.key, verb.twin)))


def _kept(verb: Verb) -> str:
    """Return the key that a verb keeps unless another for fields is named, so that it can be reached from a field."""
    return next((key for key in default_keys(verb) if works_in_fields(key)), "")


def effective(keymap: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the keys of every verb; Escape always goes back.

    A verb whose own keys are all letters keeps its key for fields, unless that was given to another verb.
    """
    own = {verb: keys_in(text) for verb, text in keymap.items() if verb in BY_ID}
    taken = {key for keys in own.values() for key in keys}
    found: dict[str, tuple[str, ...]] = {}
    for verb in VERBS:
        keys = own.get(verb.id, [])
        if not keys:
            found[verb.id] = default_keys(verb)
            continue
        kept = _kept(verb)
        if kept and kept not in taken and not any(map(works_in_fields, keys)):
            keys = [*keys, kept]
        if verb.id == "back":
            keys = [*keys, "escape"]
        found[verb.id] = tuple(dict.fromkeys(keys))
    return found


def problems(keymap: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong in a keymap: verbs that do not exist, keys that cannot be used, keys of two verbs."""
    return [problem for _verbs, problem in _faults(keymap)]


def usable(keymap: Mapping[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    """Return the part of a keymap that can be used, in full (verb id -> keys), and what is wrong with the rest.

    Whatever has a problem has its default keys; where two own keys clash, both.
    """
    kept = dict(keymap)
    told: list[Problem] = []
    while faults := _faults(kept):
        told += [problem for _verbs, problem in faults]
        for verbs, _problem in faults:
            for verb in verbs:
                kept.pop(verb, None)
    keys = effective(kept)
    return {verb: ",".join(keys[verb]) for verb in kept}, told


def _faults(keymap: Mapping[str, Any]) -> list[tuple[tuple[str, ...], Problem]]:
    """Return each problem with the verbs of the keymap that it comes from."""
    found: list[tuple[tuple[str, ...], Problem]] = []
    for verb, text in keymap.items():
        where = f"{WHERE}.{verb}"
        if verb not in BY_ID:
            hint = "`mission-control docs keys` has the ids."
            found.append(((verb,), Problem(where, "there is no verb of that name", hint)))
            continue
        keys = keys_in(text)
        if not keys:
            found.append(((verb,), Problem(where, "this names no key", _WHAT_IS_A_KEY)))
        found += [
            ((verb,), Problem(where, f"{key}: {wrong}", _WHAT_IS_A_KEY))
            for key in keys
            if (wrong := what_is_wrong(key))
        ]
        if "escape" in keys and verb != "back":
            hint = "Without it there is no way out of a field."
            found.append(((verb,), Problem(where, "Escape goes back everywhere", hint)))
    holders: dict[str, list[str]] = {}
    for verb, held in effective(keymap).items():
        for key in held:
            holders.setdefault(key, []).append(verb)
    for key, verbs in holders.items():
        if len(verbs) > 1 and key != "escape":
            own = tuple(verb for verb in verbs if verb in keymap)
            both = " and ".join(f"{BY_ID[verb].label} ({verb})" for verb in verbs)
            what = f"{key_word(key)} would be both {both}"
            hint = "Give one of them another key."
            found.append((own, Problem(f"{WHERE}.{own[0] if own else verbs[0]}", what, hint)))
    return found


def with_key(keymap: Mapping[str, Any], verb_id: str, pressed: str) -> dict[str, Any]:
    """The keymap after `pressed` was chosen for a verb: a letter takes the letter's place, another key the other's."""
    verb = BY_ID[verb_id]
    now = effective(keymap)[verb_id]
    in_fields = works_in_fields(pressed)
    others = [key for key in now if works_in_fields(key) != in_fields][:1]
    keys = [*others, pressed] if in_fields else [pressed, *others]
    if verb.key == pressed and in_fields:
        keys = [pressed, *others]
    changed = {verb: text for verb, text in keymap.items() if verb != verb_id}
    if set(keys) != set(default_keys(verb)):
        changed[verb_id] = ",".join(keys)
    return changed
