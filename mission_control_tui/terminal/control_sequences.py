"""What a terminal sends, taken apart after ECMA-48: keys that were typed, control sequences, pastes.

A terminal's answers come between the keys, late, and in pieces. Here a sequence is taken whole over its pieces, so that
no part of it is ever a key. Nothing here imports Textual.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from dataclasses import dataclass
from enum import Enum, auto

ESC = "\x1b"
PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
MOST_PASTED = 1_000_000
"""Characters; a longer paste is refused as a whole, since half a list is worse than none."""
MOST_SEQUENCE = 4096
"""Characters after which a sequence that does not end is given up."""
UNENDED_SECONDS = 1.0
"""Silence after which a sequence that does not end is given up."""
PASTE_SECONDS = 3.0
"""Silence after which a paste that does not end is given up."""
LATE_SECONDS = 2.0
"""How long after a lone Escape the rest of a sequence, torn by a slow line, is still known as one."""

_CANCELS = "\x18\x1a"
_ST = 0x9C
_LATE = re.compile(
    rb"\[[<=>?]?[0-9;:]*(?:[ -/]*[@-~]|\Z)|\][0-9lL]|P[0-9>=!$+|]|_G"
    rb"|[\]P^X_][^\x1b]*\x1b\\|[\]P^XO_]\Z",
    re.DOTALL,
)
"""How the rest of a sequence begins whose Escape has already been taken for the key."""
_RXVT_END = re.compile(r"\x1b\[\d+\$\Z")
"""rxvt ends Shift with a key by a dollar, which elsewhere comes before the last character."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One character that was typed, Escape and other control characters included."""

    character: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One complete control sequence, from its Escape to its end, eight-bit controls in their seven-bit form."""

    text: str


@dataclass(frozen=True, slots=True)
class Pasted:
    """The text between the marks of a bracketed paste."""

    text: str


@dataclass(frozen=True, slots=True)
class PasteRefused:
    """A paste of so many characters that was left out: it was too long, or its end never came."""

    characters: int
    ended: bool


@dataclass(frozen=True, slots=True)
class SequenceDropped:
    """A sequence that never ended was left out; what somebody typed meanwhile may have been in it."""


Token = Typed | Sequence | Pasted | PasteRefused | SequenceDropped


class _State(Enum):
    GROUND = auto()
    ESCAPE = auto()
    CSI = auto()
    SS3 = auto()
    STRING = auto()
    STRING_ESCAPE = auto()
    LINUX = auto()
    MOUSE = auto()
    PASTE = auto()
    FLOOD = auto()


_INTRODUCED = {"[": _State.CSI, "O": _State.SS3, **dict.fromkeys("P]X^_", _State.STRING)}
"""What an Escape introduces with the next character; DCS, OSC, SOS, PM and APC are strings until ST."""


class ControlSequences:
    """The state machine between reading and keys. Times are seconds of one monotonic clock, given by the caller.

    `patience` is how long a lone Escape waits for the rest of a sequence. While `awaits_answer` is set, the terminal
    owes an answer to a query, and an Escape waits longer.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.awaits_answer = False
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._tokens: list[Token] = []
        self._last = 0.0
        self._escaped_at = self._dropped_at = float("-inf")
        self._begin("", _State.GROUND)

    @property
    def wait(self) -> float | None:
        """Return how many seconds of silence end what is unfinished; None where nothing is."""
        unended = max(self._patience, UNENDED_SECONDS)
        match self._state:
            case _State.GROUND:
                return None
            case _State.PASTE:
                return PASTE_SECONDS
            case _State.ESCAPE if self.awaits_answer:
                return unended
            case _State.ESCAPE | _State.FLOOD:
                return self._patience
        return self._patience if self._is_late and len(self._text) == 2 else unended

    def feed(self, data: bytes, now: float) -> list[Token]:
        """Take bytes that were read at `now`; return what is complete by them.

        Silence is what `tick` tells of: what is read late, by a busy machine, may have been there long before.
        """
        if now - self._last > UNENDED_SECONDS:
            self._decoder.reset()
        is_torn = self._state is _State.GROUND and now - self._escaped_at < LATE_SECONDS
        if is_torn and _LATE.match(data):
            self._begin(ESC, _State.ESCAPE)
            self._is_late = True
        self._escaped_at = float("-inf")
        self._last = now
        self._take_bytes(data)
        return self._taken()

    def tick(self, now: float) -> list[Token]:
        """Give up what has waited for its end too long, nothing having come; return what becomes of it."""
        self._end_silence(now)
        return self._taken()

    def _taken(self) -> list[Token]:
        tokens, self._tokens = self._tokens, []
        return tokens

    def _end_silence(self, now: float) -> None:
        wait = self.wait
        if wait is None or now - self._last < wait:
            return
        match self._state:
            case _State.ESCAPE:
                self._tokens.append(Typed(ESC))
                self._escaped_at = now
            case _State.PASTE:
                self._tokens.append(PasteRefused(self._pasted + len(self._mark), ended=False))
            case _State.FLOOD | _State.MOUSE:
                pass
            case _ if len(self._text) == 2:
                # Escape and a letter that could have introduced a sequence: nothing came, so both were keys.
                if not self._is_late:
                    self._tokens.append(Typed(ESC))
                self._tokens.append(Typed(self._text[1]))
            case _:
                self._tokens.append(SequenceDropped())
                self._dropped_at = now
        self._begin("", _State.GROUND)

    def _begin(self, text: str, state: _State) -> None:
        self._state, self._text, self._is_late = state, text, False
        self._mark, self._pasted = "", 0
        self._paste: list[str] = []
        self._mouse: list[int] = []

    def _take_bytes(self, data: bytes) -> None:
        """Take bytes one by one, but the text of a paste in pieces as long as they come."""
        at = 0
        while at < len(data):
            end = at + 1
            if self._state is _State.PASTE and not self._mark and data[at] != 0x1B:
                end = data.find(0x1B, at)
                end = len(data) if end < 0 else end
                self._take_pasted(self._decoder.decode(data[at:end]))
            elif self._state is not _State.MOUSE or not self._is_of_mouse(data[at]):
                self._take_byte(data[at])
            at = end

    def _take_byte(self, byte: int) -> None:
        is_in_character = bool(self._decoder.getstate()[0])
        if 0x80 <= byte <= 0x9F and not is_in_character:
            self._take_c1(byte)
            return
        for character in self._decoder.decode(bytes((byte,))):
            if self._state is _State.PASTE:
                self._take_pasted(character)
            elif "\x80" <= character <= "\x9f":
                self._take_c1(ord(character))
            else:
                self._take(character)

    def _take_c1(self, code: int) -> None:
        """Take a control character of eight bits as the two of seven bits that it stands for (ECMA-48, 5.3)."""
        is_string = self._state is _State.STRING
        second = chr(code - 0x40)
        if code == _ST if is_string else second in _INTRODUCED:
            self._take(ESC)
            self._take(second)

    def _take(self, character: str) -> None:
        state = self._state
        if state is _State.GROUND and character == ESC:
            self._begin(ESC, _State.ESCAPE)
        elif state is _State.GROUND:
            self._tokens.append(Typed(character))
        elif state is _State.ESCAPE:
            self._after_escape(character)
        elif state is _State.FLOOD:
            return
        elif state is _State.STRING_ESCAPE and character != "\\":
            self._begin(ESC, _State.ESCAPE)
            self._after_escape(character)
        elif character in _CANCELS:
            self._begin("", _State.GROUND)
        elif character == ESC and state is not _State.STRING:
            self._begin(ESC, _State.ESCAPE)
        elif len(self._text) >= MOST_SEQUENCE:
            self._begin("", _State.FLOOD)
        else:
            self._text += character
            self._in_sequence(character)

    def _after_escape(self, character: str) -> None:
        """Take what follows an Escape; one that introduces nothing was a key, and so is what follows."""
        was_late = self._is_late
        if character in _INTRODUCED:
            self._begin(ESC + character, _INTRODUCED[character])
            self._is_late = was_late
            return
        self._begin("", _State.GROUND)
        if character == "\\" and self._last - self._dropped_at < LATE_SECONDS:
            return
        self._tokens.append(Typed(ESC))
        self._take(character)

    def _in_sequence(self, character: str) -> None:
        text = self._text
        if self._state is _State.STRING:
            if character == ESC:
                self._state = _State.STRING_ESCAPE
            elif character == "\x07" and text[1] == "]":
                self._complete()
        elif self._state is _State.CSI and text == ESC + "[[":
            self._state = _State.LINUX
        elif self._state is _State.CSI and text == ESC + "[M":
            self._begin(text, _State.MOUSE)
        elif text == PASTE_START:
            self._begin("", _State.PASTE)
        elif self._state is _State.CSI and " " <= character <= "?":
            if _RXVT_END.match(text):
                self._complete()
        elif self._state is _State.CSI and not "@" <= character <= "~":
            self._begin("", _State.GROUND)
        elif self._state is not _State.SS3 or not (character.isdigit() or character == ";"):
            self._complete()

    def _complete(self) -> None:
        text = self._text
        self._begin("", _State.GROUND)
        self._tokens.append(Sequence(text))

    def _is_of_mouse(self, byte: int) -> bool:
        """Take one of the three characters of an X10 report: any byte each, or two of UTF-8 (xterm's mode 1005)."""
        is_open = bool(self._mouse) and 0xC2 <= self._mouse[-1] <= 0xDF
        if is_open and 0x80 <= byte <= 0xBF:
            self._mouse[-1] = 0
        elif len(self._mouse) < 3 and byte >= 0x20:
            self._mouse.append(byte)
        else:
            self._begin("", _State.GROUND)
            return False
        if len(self._mouse) == 3 and not 0xC2 <= self._mouse[-1] <= 0xDF:
            self._begin("", _State.GROUND)
        return True

    def _take_pasted(self, text: str) -> None:
        self._mark += text
        if self._mark == PASTE_END:
            characters, pasted = self._pasted, "".join(self._paste)
            self._begin("", _State.GROUND)
            is_whole = characters <= MOST_PASTED
            self._tokens.append(
                Pasted(pasted.replace("\x00", "")) if is_whole else PasteRefused(characters, True)
            )
        elif not PASTE_END.startswith(self._mark):
            # The Escape that ends a false mark may begin the true one.
            part, self._mark = (self._mark[:-1], ESC) if text == ESC else (self._mark, "")
            self._pasted += len(part)
            if self._pasted <= MOST_PASTED:
                self._paste.append(part)
            else:
                self._paste.clear()
