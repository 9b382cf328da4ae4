"""The settings file is written key by key: nothing else changes, nothing wrong is written, nobody's edit is lost."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mission_control_tui.model.errors import Conflict, InvalidInput, NotFound, UsageError
from mission_control_tui.settings.file import SettingsFile, in_force, understand
from mission_control_tui.settings.settings import Settings, load, locations

WRITTEN = """# ours
account = "acme"  # the big one

[connectors.customer-databases]  # theirs
type = "postgresql"
rate_per_second = 5.50

[console]
theme = "light"   # for the sunny office
keymap = { provision = "c" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN, encoding="utf-8")
    path.chmod(0o644)
    return path


def test_only_the_changed_keys_are_written_and_the_file_becomes_private(file: Path) -> None:
    SettingsFile.read(file).save(
        {"console.theme": "dark", "worker.slots": 32, "console.keymap.provision": "k"}
    )
    text = file.read_text(encoding="utf-8")
    kept = WRITTEN.replace('"light"', '"dark"').replace('"c"', '"k"')
    assert text == kept + "\n[worker]\nslots = 32\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    settings = load(file)
    assert (settings.console.theme, settings.worker.slots) == ("dark", 32)
    assert [one.name for one in file.parent.iterdir()] == ["settings.toml"]


def test_what_is_unset_is_gone_and_the_rest_stays(file: Path) -> None:
    SettingsFile.read(file).save({"console.theme": None, "console.keymap.provision": None})
    text = file.read_text(encoding="utf-8")
    assert "theme" not in text
    assert "# the big one" in text
    assert "rate_per_second = 5.50" in text
    assert load(file).console == Settings().console


def test_a_first_file_is_made_in_its_private_place() -> None:
    saved = SettingsFile.read().save({"console.page_jump": 7, "console.keymap.sort": "c"})
    path = locations().settings_file
    assert saved.path == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load().console.page_jump == 7
    assert load().console.keymap == {"sort": "c"}


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    SettingsFile.read(link).save({"console.mouse": True})
    assert link.is_symlink()
    assert load(file).console.mouse


def test_a_file_that_was_changed_meanwhile_is_left_alone(file: Path) -> None:
    read = SettingsFile.read(file)
    theirs = WRITTEN.replace("light", "dark-16")
    file.write_text(theirs, encoding="utf-8")
    with pytest.raises(Conflict, match="meanwhile"):
        read.save({"console.theme": "dark"})
    assert file.read_text(encoding="utf-8") == theirs
    file.unlink()
    with pytest.raises(Conflict):
        read.save({"console.theme": "dark"})
    assert not file.exists()


def test_a_file_that_was_made_meanwhile_is_left_alone() -> None:
    read = SettingsFile.read()
    SettingsFile.read().save({"console.theme": "light"})
    with pytest.raises(Conflict):
        read.save({"console.theme": "dark"})
    assert load().console.theme == "light"


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        ("console = [", {"console.theme": "dark"}, "not valid TOML"),
        (b"\xff\xfe", {"console.theme": "dark"}, "not valid TOML"),
        (WRITTEN, {"worker.slots": 1}, "worker.slots"),
        (WRITTEN, {"worker.keep_days": 7}, "at least 30"),
        (WRITTEN, {"worker.callbacks": "127.0.0.1:99999"}, "HOST:PORT with a port from 1 to 65535"),
        (WRITTEN, {"worker.callbacks": "127.0.0.1:0"}, "HOST:PORT with a port from 1 to 65535"),
        (WRITTEN, {"worker.callbacks": "127.0.0.1:-1"}, "HOST:PORT with a port from 1 to 65535"),
        (WRITTEN, {"worker.callbacks": "127.0.0.1:http"}, "HOST:PORT with a port from 1 to 65535"),
        (WRITTEN, {"worker.callbacks": ":8480"}, "must be HOST:PORT"),
        (WRITTEN, {"worker.callbacks": "a b:8480"}, "must be HOST:PORT"),
        (WRITTEN, {"worker.callbacks": "::1:8480"}, "must be HOST:PORT"),
        (WRITTEN, {"worker.callbacks": "http://x:8480"}, "must be HOST:PORT"),
        (WRITTEN, {"console.theme": "pink"}, "console.theme"),
        (WRITTEN, {"console.nothing": 1}, "nothing"),
        (WRITTEN, {"account.code": "x"}, "account is a value"),
    ],
)
def test_what_breaks_a_rule_is_not_written(
    file: Path, content: str | bytes, changes: dict[str, object], said: str
) -> None:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    before = file.read_bytes()
    with pytest.raises(UsageError, match=said):
        SettingsFile.read(file).save(changes)
    assert file.read_bytes() == before


def test_a_key_of_two_verbs_is_refused_naming_both(file: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        SettingsFile.read(file).save({"console.keymap.provision": "e"})
    (problem,) = refused.value.problems
    assert problem.where == "console.keymap.provision"
    assert "Provision (provision)" in problem.what
    assert "Edit (edit)" in problem.what
    assert file.read_text(encoding="utf-8") == WRITTEN


def test_a_clash_that_is_in_the_file_already_keeps_nobody_from_mending_it(file: Path) -> None:
    file.write_text('[console]\nkeymap = { provision = "e", sort = "ctrl+b" }\n', encoding="utf-8")
    SettingsFile.read(file).save({"console.keymap.sort": None})
    assert load(file).console.keymap == {"provision": "e"}


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "no-directory").write_text("", encoding="utf-8")
    file = SettingsFile(tmp_path / "no-directory" / "settings.toml", None)
    with pytest.raises(UsageError, match="cannot be written"):
        file.save({"console.theme": "dark"})


def test_each_setting_says_where_it_comes_from(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(file))
    monkeypatch.setenv("MISSION_CONTROL_CONSOLE__THEME", "dark")
    monkeypatch.setenv("MISSION_CONTROL_DATABASE", "postgresql://me:hidden@db.example/mission")
    found = {one.key: one for one in in_force({"account": "other"})}
    assert (found["console.theme"].value, found["console.theme"].origin) == ("dark", "environment")
    assert (found["account"].value, found["account"].origin) == ("other", "flag")
    assert found["console.keymap.provision"].origin == "file"
    assert found["worker.slots"].origin == "default"
    assert found["connectors.customer-databases"].value == "postgresql"
    assert found["database"].value == "postgresql://me:***@db.example/mission"


def test_values_are_understood_in_their_types() -> None:
    assert understand("console.ascii", "true") is True
    assert understand("worker.slots", "30") == 30
    assert understand("services.databases", "theirs") == "theirs"
    with pytest.raises(NotFound, match=r"console\.thme"):
        understand("console.thme", "dark")
    with pytest.raises(UsageError, match="Connectors"):
        understand("connectors.theirs.password", "x")
    with pytest.raises(UsageError, match="pink"):
        understand("console.theme", "pink")
