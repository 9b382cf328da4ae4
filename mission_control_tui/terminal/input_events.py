"""What a terminal sent, as Textual's events: known keys are keys, known answers are answers, the rest is nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import XTermParser
from textual.keys import Keys, _character_to_key
from textual.message import Message

from mission_control_tui.terminal.control_sequences import (
    ESC,
    Pasted,
    PasteRefused,
    Sequence,
    SequenceDropped,
    Token,
    Typed,
)
from mission_control_tui.terminal.frame_pacing import STATUS

SHIFT, ALT, CTRL = 1, 2, 4
_NO_VERB = ~(SHIFT | CTRL | 64 | 128)
"""Modifiers that no verb uses: Alt, Super, Hyper and Meta; Caps and Num Lock do not count."""
RELEASE = 3

_FUNCTIONAL = re.compile(r"\x1b\[(\d+)(?:;(\d+)(?::(\d+))?)?([~ABCDFHPQS])")
"""A key that writes nothing, with its modifiers, as xterm says it (ctlseqs, "PC-Style Function Keys")."""
_CSI_U = re.compile(r"\x1b\[(\d+)(?::\d*)*(?:;(\d*)(?::(\d+))?(?:;([\d:]*))?)?u")
"""A key as a code point, with its modifiers ("fixterms", kitty, tmux's `extended-keys-format csi-u`)."""
_MODIFY_OTHER_KEYS = re.compile(r"\x1b\[27;(\d+);(\d+)~")
"""The same as xterm's modifyOtherKeys says it."""
_SGR_MOUSE = re.compile(r"\x1b\[<\d+;-?\d+;-?\d+[Mm]")
_MODE_REPORT = re.compile(r"\x1b\[\?(\d+);(\d)\$y")
_STATUS_REPORTS = ("\x1b[0n", "\x1b[3n")
_RESIZE = re.compile(r"\x1b\[48;\d+(?::[\d:]*)?;\d+(?::[\d:]*)?;\d+(?::[\d:]*)?;\d+(?::[\d:]*)?t")

_CONTROLS: Final = {
    9: "tab",
    13: "enter",
    27: "escape",
    127: "backspace",
    8: "backspace",
    32: "space",
}
_NEITHER_KEY_NOR_ANSWER: Final = frozenset({"\x1b[c", "\x1b[~", "\x1b[E", "\x1b[G"})
"""What Textual takes for keys, and terminals send, or echo, as something else."""


class PasteLeftOut(Message):
    """Nothing of a paste was taken: it had so many characters, or `ended` says that its end never came."""

    def __init__(self, characters: int, *, ended: bool) -> None:
        super().__init__()
        self.characters = characters
        self.ended = ended


class InputLeftOut(Message):
    """Something that was sent as a part of an unfinished sequence was left out."""


class InputEvents:
    """Turns tokens into events. `mouse`: reports of the mouse are events too."""

    def __init__(self, *, mouse: bool) -> None:
        self._mouse = mouse
        self._parser = XTermParser()

    def events(self, tokens: Iterable[Token]) -> Iterator[Message]:
        """Yield the events of `tokens`, in order."""
        for token in tokens:
            match token:
                case Typed(character):
                    yield from _typed(character)
                case Sequence(text):
                    yield from self._of_sequence(text)
                case Pasted(text):
                    yield events.Paste(text)
                case PasteRefused(characters, ended):
                    yield PasteLeftOut(characters, ended=ended)
                case SequenceDropped():
                    yield InputLeftOut()

    def _of_sequence(self, text: str) -> Iterator[Message]:
        if text in _NEITHER_KEY_NOR_ANSWER:
            return
        if _MODE_REPORT.fullmatch(text) or _RESIZE.fullmatch(text):
            yield from self._parser.feed(text)
        elif _SGR_MOUSE.fullmatch(text):
            if self._mouse:
                yield from self._parser.feed(text)
        elif match := _MODIFY_OTHER_KEYS.fullmatch(text):
            yield from _modified(int(match[2]), int(match[1]) - 1, "")
        elif match := _CSI_U.fullmatch(text):
            if int(match[3] or 1) != RELEASE:
                yield from _modified(int(match[1]), int(match[2] or 1) - 1, match[4] or "")
        elif match := _FUNCTIONAL.fullmatch(text):
            if int(match[3] or 1) != RELEASE:
                yield from _functional(match[1] + match[4], int(match[2] or 1) - 1)
        else:
            yield from _listed(text)


def answered(token: Token) -> str | None:
    """Return the request that a token answers: for a mode (DECRPM) or the terminal's status (DSR); None otherwise."""
    if not isinstance(token, Sequence):
        return None
    if match := _MODE_REPORT.fullmatch(token.text):
        return f"\x1b[?{match[1]}$p"
    return STATUS if token.text in _STATUS_REPORTS else None


def _typed(character: str) -> Iterator[events.Key]:
    if character == ESC:
        yield events.Key("escape", ESC)
    elif character in "\r\n":
        # Before the terminal is raw, its driver turns the one into the other.
        yield events.Key("enter", "\r")
    else:
        yield from (
            _listed(character)
            if character in ANSI_SEQUENCES_KEYS
            else [events.Key(_character_to_key(character), character)]
        )


def _listed(text: str) -> Iterator[events.Key]:
    """Yield the key that Textual lists for a sequence; one with Alt is no key here."""
    keys = ANSI_SEQUENCES_KEYS.get(text)
    if isinstance(keys, str):
        yield events.Key(_character_to_key(keys), keys)
    elif isinstance(keys, tuple) and keys[0] is not Keys.Escape:
        for key in keys:
            yield events.Key(key.value, text if len(text) == 1 else None)


def _functional(code: str, modifiers: int) -> Iterator[events.Key]:
    number, final = code[:-1], code[-1]
    name = FUNCTIONAL_KEYS.get(code if final == "~" else f"1{final}")
    if name is None or modifiers & _NO_VERB or (final != "~" and number != "1"):
        return
    yield events.Key(_with(name, modifiers), None)


def _modified(code: int, modifiers: int, associated: str) -> Iterator[events.Key]:
    """Yield the key of a code point, as a terminal without the extension would send it where it could."""
    if modifiers & _NO_VERB or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return
    name = _CONTROLS.get(code) or FUNCTIONAL_KEYS.get(f"{code}u")
    is_control = bool(modifiers & CTRL)
    if name is not None:
        plain = {"space": " ", "tab": "\t", "enter": "\r", "escape": ESC, "backspace": "\x7f"}
        character = None if is_control else plain.get(name)
        if name in ("space", "backspace"):
            modifiers &= ~SHIFT
        yield events.Key(_with(name, modifiers), None if modifiers else character)
        return
    character = chr(code)
    if is_control:
        if "a" <= character.lower() <= "z" and not modifiers & SHIFT:
            yield from _typed(chr(code & 0x1F))
        return
    if associated:
        character = chr(min(int(associated.partition(":")[0] or code), 0x10FFFF))
    elif modifiers & SHIFT:
        character = character.upper()
    if character.isprintable():
        yield from _typed(character)


def _with(name: str, modifiers: int) -> str:
    names = [word for bit, word in ((CTRL, "ctrl"), (SHIFT, "shift")) if modifiers & bit]
    return "+".join([*names, name])
