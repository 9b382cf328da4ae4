"""Marks as text, in long and in short, and secrets by reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mission_control_tui.connect import (
    Mark,
    Note,
    SettingsReader,
    fence_text,
    read_short_mark,
    short_mark,
    with_fence,
)
from mission_control_tui.model.errors import InvalidInput

MARK = Mark("0123456789abcdef" * 2, "fedcba9876543210" * 2, 7, 3, 2)


def test_the_long_form_holds_all_and_says_nothing_of_others_texts() -> None:
    note = Note(MARK, "popx", 4, "id-of-password")
    assert Note.from_text(note.to_text()) == note
    for other in (None, "", "{}", "hello", '{"mission_control": 2}', "\x00"):
        assert Note.from_text(other) is None


def test_the_short_form_is_the_owner_in_forty_digits() -> None:
    text = short_mark(MARK)
    assert len(text) == 40
    found = read_short_mark(text, MARK.installation)
    assert found is not None
    assert found.same_owner(MARK)
    assert with_fence(found, fence_text(MARK)) == MARK
    assert with_fence(found, "nonsense") == found
    foreign = read_short_mark(text, "f" * 32)
    assert foreign is not None
    assert not foreign.same_owner(MARK)
    assert not foreign.same_owner(replace(MARK, installation="f" * 32))
    for other in (None, "", "admin", "x" * 40, text + "0"):
        assert read_short_mark(other, MARK.installation) is None
    with pytest.raises(ValueError, match="hexadecimal"):
        short_mark(Mark("here", "key"))


def test_a_secret_is_a_line_a_whole_file_or_a_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN\nabc\n-----END\n")
    file.chmod(0o600)
    reader = SettingsReader("x", {"key_file": str(file), "token_credential": "token"})
    line, whole = reader.secret("key"), reader.secret("key", whole_file=True)
    credential = reader.secret("token")
    reader.finish()
    assert line is not None and whole is not None and credential is not None  # noqa: PT018
    assert line.read() == "-----BEGIN"
    assert whole.read().endswith("-----END\n")
    with pytest.raises(Exception, match="systemd"):
        credential.read()
    (tmp_path / "token").write_text("t0\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert credential.read() == "t0"
    assert line.exposure == ""
    file.chmod(0o644)
    assert "can be read by others" in line.exposure
    assert "0644" in line.exposure
    wrong = SettingsReader("x", {"token_credential": "../token"})
    wrong.secret("token")
    with pytest.raises(InvalidInput, match="without a directory"):
        wrong.finish()
