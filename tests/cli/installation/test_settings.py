"""`settings`: shown with their origin, set and unset in the documented file."""

from __future__ import annotations

import pytest

from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok


def shown(key: str) -> tuple[object, str]:
    (one,) = answer("settings", "show", key)["settings"]
    return one["value"], one["origin"]


def test_a_setting_is_set_shown_and_unset() -> None:
    assert shown("console.theme") == ("auto", "default")
    said = ok("settings", "set", "console.theme", "light")
    assert str(locations().settings_file) in said.err
    assert shown("console.theme") == ("light", "file")
    table = ok("settings", "show").out
    assert "console.theme" in table
    assert "worker.slots" in table
    ok("settings", "unset", "console.theme")
    assert shown("console.theme") == ("auto", "default")


def test_the_environment_wins_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_CONSOLE__THEME", "dark")
    assert "wins" in ok("settings", "set", "console.theme", "light").err
    assert answer("settings", "set", "console.theme", "light")["overruled"] is True
    assert shown("console.theme") == ("dark", "environment")


@pytest.mark.parametrize(
    ("name", "value"),
    [("MISSION_CONTROL_NOTHING", "1"), ("MISSION_CONTROL_WORKER__SLOTS", "many")],
)
def test_a_variable_that_does_not_fit_is_named_and_no_file(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    ok("settings", "set", "console.theme", "light")
    monkeypatch.setenv("MISSION_CONTROL_CONSOLE__ASCII", "true")
    monkeypatch.setenv(name, value)
    refused = call("status")
    assert refused.code == 2
    assert f"{name}: " in refused.err
    assert str(locations().settings_file) not in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("set", "console.thme", "dark"), 4, "console.thme"),
        (("set", "console.theme", "pink"), 2, "dark-16"),
        (("set", "worker.slots", "1"), 2, ">= 2"),
        (("set", "console.keymap.provision", "e"), 3, "Edit (edit)"),
        (("set", "console.keymap.provision", "ctrl+b"), 3, "tmux"),
        (("set", "console.keymap.nothing", "c"), 3, "no verb"),
        (("set", "connectors.x.type", "simulator"), 2, "file itself"),
        (("unset", "console.theme"), 4, "does not set"),
        (("show", "nothing"), 4, "nothing"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    arguments: tuple[str, ...], code: int, said: str
) -> None:
    refused = call("settings", *arguments)
    assert refused.code == code
    assert said in refused.err
    assert not locations().settings_file.exists()


def test_a_file_that_is_no_toml_is_said_and_left_alone() -> None:
    path = locations().settings_file
    path.parent.mkdir(parents=True)
    path.write_text("[console\n", encoding="utf-8")
    refused = call("settings", "set", "console.theme", "dark")
    assert refused.code == 2
    assert "not valid TOML" in refused.err
    assert path.read_text(encoding="utf-8") == "[console\n"


def test_a_bad_keymap_is_told_by_show_and_can_be_unset() -> None:
    path = locations().settings_file
    path.parent.mkdir(parents=True)
    path.write_text('[console.keymap]\nprovision = "e"\n', encoding="utf-8")
    assert "Left out: console.keymap.provision" in ok("settings", "show").err
    ok("settings", "unset", "console.keymap.provision")
    assert answer("settings", "show")["problems"] == []


def test_a_read_only_environment_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_READ_ONLY", "1")
    assert call("settings", "set", "console.theme", "dark").code == 7
    assert not locations().settings_file.exists()


def test_the_flag_read_only_holds_for_commands_too() -> None:
    refused = call("--read-only", "settings", "set", "console.theme", "dark")
    assert refused.code == 7
    assert "read-only" in refused.err
    assert not locations().settings_file.exists()


def test_the_password_of_a_database_is_never_told_back() -> None:
    url = "postgresql://mc:Kp7m-xR4w@db.example/mc"
    for json in ((), ("--json",)):
        said = ok("settings", "set", "database", url, *json)
        assert "db.example" in said.out + said.err
        assert "Kp7m" not in said.out + said.err
    assert url in locations().settings_file.read_text(encoding="utf-8")
