"""init --back-ends: which servers there are, asked or stated, becomes a settings file in which nothing writes yet."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.cli.installation.back_ends import BACK_ENDS
from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok


def read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def everything() -> list[str]:
    """Name every back end there is, with what is proposed for it."""
    asked = (
        f"{each.name}.{each.questions[0].key}={each.questions[0].default}" for each in BACK_ENDS
    )
    return [word for setting in asked for word in ("--set", setting)]


def test_what_is_stated_is_written_where_settings_are_and_only_observes() -> None:
    said = ok("init", "--back-ends", "--set", "databases.host=db1.example")
    file = locations().settings_file
    assert str(file) in said.err
    assert "doctor" in said.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read(file)["services"] == {"databases": "databases"}
    table = read(file)["connectors"]["databases"]
    assert (table["host"], table["mode"]) == ("db1.example", "observe")
    assert not locations().database.exists()


def test_a_person_is_asked_for_each_server(tmp_path: Path) -> None:
    asked = "".join(
        "y\nmail-1, mail-2\n" + 2 * (len(each.questions) * "\n")
        if each.may_be_several
        else "y\n" + len(each.questions) * "\n"
        for each in BACK_ENDS
    )
    file = tmp_path / "s.toml"
    said = ok("init", "--back-ends", "--out", str(file), stdin=asked, terminal=True)
    for each in BACK_ENDS:
        assert each.words in said.err
    written = read(file)
    assert written["placement"]["managed-exchange"]["connectors"] == ["exchange-1", "exchange-2"]
    assert written["connectors"]["exchange-2"]["parts"] == {
        "directory": {"connector": "directory"},
        "mailbox": {"connector": "mail-2"},
    }
    assert {
        table["mode"] for table in written["connectors"].values() if table["type"] != "composite"
    } == {"observe"}


def test_one_mail_server_and_a_directory_are_one_service_of_two_parts(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    ok("init", "--back-ends", "--out", str(file), *everything())
    written = read(file)
    assert written["services"]["managed-exchange"] == "exchange"
    assert "placement" not in written
    assert {table["type"] for table in written["connectors"].values()} == {
        "composite",
        *(each.type for each in BACK_ENDS),
    }


def test_each_of_several_has_its_own_address(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    stated = ("mail.names=mail-1,mail-2", "mail.user=writer", "mail-2.host=mail2.example")
    ok("init", "--back-ends", "--out", str(file), *(w for s in stated for w in ("--set", s)))
    tables = read(file)["connectors"]
    assert {tables[name]["user"] for name in ("mail-1", "mail-2")} == {"writer"}
    assert tables["mail-2"]["host"] == "mail2.example" != tables["mail-1"]["host"]
    assert read(file)["placement"]["managed-exchange"]["connectors"] == ["mail-1", "mail-2"]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("# mine\n", "utf-8")
    refused = call("init", "--back-ends", "--out", str(file), "--set", "dns.url=http://127.0.0.1:1")
    assert refused.code != 0
    assert "left alone" in refused.err
    assert file.read_text("utf-8") == "# mine\n"


def test_it_is_written_where_the_environment_says_that_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "named.toml"
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(file))
    ok("init", "--back-ends", "--set", "dns.url=http://127.0.0.1:1")
    assert read(file)["services"] == {"domain-registration": "dns"}


def test_a_dry_run_prints_the_file_and_writes_none(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    printed = ok("init", "--back-ends", "--out", str(file), "--dry-run", *everything())
    assert tomllib.loads(printed.out)["connectors"]
    assert not file.exists()


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("nosuch.host=x", "nosuch"),
        ("dns.nosuch=x", "nosuch"),
        ("mail.names=mail-1,mail-1", "mail-1"),
        ("mail.names=Not A Name", "Not A Name"),
        ("mail-2.host=x", "mail-2"),
        ("mail.names=", "cannot be the name"),
        ("mail.names=dns", "another connector"),
        ("mail.names=exchange-1", "another connector"),
    ],
)
def test_what_nobody_asks_for_is_refused_by_name(tmp_path: Path, stated: str, said: str) -> None:
    refused = call("init", "--back-ends", "--out", str(tmp_path / "s.toml"), "--set", stated)
    assert refused.code != 0
    assert said in refused.err
    assert not (tmp_path / "s.toml").exists()


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("dns.url=http://a b", "must be an address such as"),
        ("dns.url=dns1.example", "must be an address such as"),
        ("dns.url=http://", "must be an address such as"),
        ("dns.url=http://[x", "must be an address such as"),
        ("dns.url=https://x:99999", "its port from 1 to 65535"),
        ("dns.url=https://me:pw@x", "must not have a user"),
        ("dns.name_servers=", "is missing"),
        ("dns.name_servers=ns1.example,n s", "n s is no host's name"),
        ("databases.host=", "a text that is not empty"),
        ("databases.host=a b", "name or address of a host"),
        ("mariadb.host=https://db.example", "a host alone"),
        ("mail.host=db.example:5432", "without brackets or a port"),
        ("directory.host=/run/x", "a host alone"),
        ("directory.base=corp.example", "a distinguished name"),
        ("directory.ca_file=/", "is a directory"),
        ("databases.password_file=/", "is a directory"),
        ("web.configuration.directory=sites", "an absolute path of a directory"),
        ("web.configuration.roots=/etc/passwd", "an absolute path of a directory"),
    ],
)
def test_an_answer_that_the_connector_cannot_use_is_refused_by_its_place(
    tmp_path: Path, stated: str, said: str
) -> None:
    file = tmp_path / "s.toml"
    refused = call("init", "--back-ends", "--out", str(file), "--set", stated)
    assert refused.code == 3
    assert f"connectors.{stated.partition('=')[0]}: " in refused.err
    assert said in refused.err
    assert not file.exists()


def test_a_person_is_asked_again_and_told_why(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    answers = "n\nn\ny\nhttp://a b\ndns1.example\nhttps://dns1.example\n/\n/etc/mc/dns\n" + "\n" * 4
    told = ok("init", "--back-ends", "--out", str(file), stdin=answers, terminal=True)
    assert told.err.count("It cannot be used: must be an address such as https://") == 2
    assert "It cannot be used: / is a directory" in told.err
    table = read(file)["connectors"]["dns"]
    assert (table["url"], table["api_key_file"]) == ("https://dns1.example", "/etc/mc/dns")


def test_names_of_several_are_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    answers = "n\ny\n,\nNot A Name\ndns\nmail-9\n" + "\n" * 7
    told = ok("init", "--back-ends", "--out", str(file), stdin=answers, terminal=True)
    assert "'Not A Name' cannot be the name" in told.err
    assert "'dns' is the name of another connector" in told.err
    assert list(read(file)["connectors"]) == ["mail-9"]


def test_without_a_terminal_it_says_how_to_state_them() -> None:
    refused = call("init", "--back-ends")
    assert refused.code != 0
    assert "--set" in refused.err


def test_no_answer_chooses_nothing(tmp_path: Path) -> None:
    refused = call(
        "init", "--back-ends", "--out", str(tmp_path / "s"), stdin="\n" * 40, terminal=True
    )
    assert refused.code != 0
    assert not (tmp_path / "s").exists()


def test_the_answers_go_with_back_ends_alone() -> None:
    assert "--back-ends" in call("init", "--set", "dns.url=x").err
    assert "--name" in call("init").err


def test_the_shipped_catalogue_goes_with_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "real.toml"
    ok("catalogue", "export", "--shipped", "real", "--out", str(file))
    assert "no connector" in call("catalogue", "check", str(file)).err
    settings = tmp_path / "s.toml"
    several = ("--set", "mail.names=mail-1,mail-2")
    ok("init", "--back-ends", "--out", str(settings), *everything(), *several)
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(settings))
    assert answer("catalogue", "check", str(file))["ok"]
    assert "not kept" not in ok("catalogue", "check", str(file)).out
