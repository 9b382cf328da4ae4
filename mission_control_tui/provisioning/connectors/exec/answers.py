"""What the end of a program means: its answer, its exit code as sysexits.h has them, its words on stderr."""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Collection, Mapping

from mission_control_tui.connect import ConnectorError, ErrorKind
from mission_control_tui.connect.messages import refusal_in
from mission_control_tui.provisioning.connectors.exec.program import ANSWER_LIMIT, Ended

log = logging.getLogger(__name__)

EXIT_CODES: Mapping[int, ErrorKind] = {
    os.EX_USAGE: ErrorKind.CONFIG,
    os.EX_DATAERR: ErrorKind.INVALID,
    os.EX_UNAVAILABLE: ErrorKind.UNREACHABLE,
    os.EX_CANTCREAT: ErrorKind.CONFLICT,
    os.EX_TEMPFAIL: ErrorKind.TRANSIENT,
    os.EX_NOPERM: ErrorKind.DENIED,
    os.EX_CONFIG: ErrorKind.CONFIG,
}
"""Kinds of errors by exit code, for programs that answer nothing; every other code is transient."""

SAID_LIMIT = 400
_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X].*?(?:\x07|\x1b\\|$)|[ -/]*[0-~])|[\x00-\x08\x0b-\x1f\x7f-\x9f]",
    re.DOTALL,
)


def answer_of(ended: Ended, name: str, secrets: Collection[str], *, writes: bool) -> bytes:
    """Return the answer of a program that ended well. Raises the ConnectorError that another end means.

    None of `secrets` is in its words. With `writes` an end that nobody planned leaves an unknown outcome.
    """
    words = _words(ended.words, secrets)
    for line in words:
        log.info("%s: %s", name, line)
    if ended.too_long:
        raise ConnectorError(
            ErrorKind.TRANSIENT,
            f"{name} answers more than {ANSWER_LIMIT // 2**20} MiB",
            remedy="Let it answer less at a time: list has a cursor.",
            code="answer",
            outcome_unknown=writes,
        )
    refused = refusal_in(ended.answer)
    if refused is not None:
        refused.said, refused.remedy = (
            _hidden(text, secrets) for text in (refused.said, refused.remedy)
        )
        refused.args = (refused.said,)
        raise refused
    if ended.code == 0:
        return ended.answer
    how = f"exit {ended.code}" if ended.code > 0 else _signal_name(-ended.code)
    planned = ended.code in EXIT_CODES
    raise ConnectorError(
        EXIT_CODES.get(ended.code, ErrorKind.TRANSIENT),
        f"{name} ({how}): {' '.join(words)[-SAID_LIMIT:]}"
        if words
        else f"{name} ended {'with' if ended.code > 0 else 'by'} {how}, without a word",
        remedy="" if planned else "See the worker's log and the program's own.",
        code=how,
        outcome_unknown=writes and not planned,
    )


def _signal_name(number: int) -> str:
    """Return what a signal is called; the real-time ones but the first and the last have a number alone."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _words(raw: bytes, secrets: Collection[str]) -> list[str]:
    """Return the last lines of stderr, without control sequences and secrets."""
    text = _hidden(_CONTROL.sub("", raw.decode("utf-8", "replace")), secrets)
    return [line.strip() for line in text.splitlines() if line.strip()][-5:]


def _hidden(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[secret]")
    return text
