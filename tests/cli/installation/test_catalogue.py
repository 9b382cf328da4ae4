"""`catalogue`: check, diff, load, show."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.model.catalogue.file.shipped import shipped
from tests.cli.inprocess import answer, call, ok


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(shipped(), "utf-8")
    return path


def changed(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")


def test_check_of_the_shipped_file(file: Path) -> None:
    assert answer("catalogue", "check", str(file))["ok"] is True
    assert "is a valid catalogue" in ok("catalogue", "check", str(file)).out


def test_check_tells_every_error_with_line_and_expectation(file: Path) -> None:
    changed(file, 'currency = "AUD"', 'currency = "AUX"')
    changed(file, "basis_points = 1000", 'basis_points = "many"')
    refused = call("catalogue", "check", str(file))
    assert refused.code == 3
    lines = [line for line in refused.err.splitlines() if line.startswith("  line ")]
    assert len(lines) == 2
    assert "a whole number" in refused.err
    document = call("catalogue", "check", str(file), "--json")
    assert document.out == ""
    assert len(document.error["problems"]) == 2
    assert document.error["exit_code"] == document.code == 3


def test_check_needs_connectors_that_the_settings_have(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed(file, 'connector = "simulator"', 'connector = "registry"')
    assert "registry" in call("catalogue", "check", str(file)).err
    settings = tmp_path / "settings.toml"
    settings.write_text('[connectors.registry]\ntype = "simulator"\n')
    monkeypatch.setenv("MISSION_CONTROL_SETTINGS", str(settings))
    ok("catalogue", "check", str(file))


def test_missing_and_binary_files(file: Path, tmp_path: Path) -> None:
    for verb in ("check", "diff", "load"):
        assert call("catalogue", verb, str(tmp_path / "nosuch.toml")).code == 4
    file.write_bytes(b"\xff\xfe\x00")
    for verb in ("check", "diff", "load"):
        assert call("catalogue", verb, str(file)).code == 3


def test_diff_names_what_changes_and_whom_it_touches(file: Path) -> None:
    ok("buy", "email", "--level", "popx")
    ok(
        *("users", "create", "--upn", "ada@acme.example", "--first-names", "Ada"),
        *("--last-name", "Lovelace", "--password-stdin"),
        stdin="Correct-Horse-7\n",
    )
    ok("provision", "ada@acme.example", "managed-exchange", "--level", "popx")
    assert answer("catalogue", "diff", str(file))["changes"] == []
    changed(file, 'limits = { protocols = ["pop", "web"] }', 'limits = { protocols = ["pop"] }')
    (change,) = answer("catalogue", "diff", str(file))["changes"]
    assert change["path"] == "service managed-exchange > level popx > limits"
    assert (change["users"], change["first_users"]) == (1, ["ada@acme.example"])
    text = ok("catalogue", "diff", str(file)).out
    assert "pop, web -> " in text
    assert "touches 1: ada@acme.example" in text


def test_load_makes_a_version_and_a_dry_run_does_not(file: Path) -> None:
    changed(file, 'name = "Starter"', 'name = "Beginner"')
    assert answer("catalogue", "load", str(file), "--dry-run")["applied"] is False
    assert answer("catalogue", "show")["version"] == 1
    assert answer("catalogue", "load", str(file))["version"] == 2
    assert answer("catalogue", "show")["version"] == 2
    assert "Nothing to do" in ok("catalogue", "load", str(file)).out


def test_load_refuses_what_would_vanish_from_under_its_holders(file: Path) -> None:
    ok("buy", "databases", "--level", "small")
    changed(
        file,
        'id = "databases"\nname = "Databases"\ndescription = "Databases with',
        'id = "dbs"\nname = "Databases"\ndescription = "Databases with',
    )
    refused = call("catalogue", "load", str(file))
    assert refused.code == 5
    assert "databases" in refused.err
    assert answer("catalogue", "show")["version"] == 1
    assert answer("catalogue", "diff", str(file))["refused"]


def test_what_export_writes_changes_nothing_when_it_is_loaded(file: Path, tmp_path: Path) -> None:
    assert ok("catalogue", "export").out == shipped()
    changed(file, 'name = "Starter"', 'name = "Beginner"')
    ok("catalogue", "load", str(file))
    out = tmp_path / "exported.toml"
    assert str(out) in ok("catalogue", "export", "--out", str(out)).err
    assert 'name = "Beginner"' in out.read_text("utf-8")
    assert answer("catalogue", "diff", str(out))["changes"] == []
    assert "Nothing to do" in ok("catalogue", "load", str(out)).out
    assert answer("catalogue", "show")["version"] == 2
    exported = answer("catalogue", "export")
    assert exported == {"version": 2, "file": None, "toml": out.read_text("utf-8")}


def test_export_writes_over_a_file_only_when_it_is_told_to(file: Path, tmp_path: Path) -> None:
    file.write_text("mine", "utf-8")
    refused = call("catalogue", "export", "--out", str(file))
    assert (refused.code, file.read_text("utf-8")) == (5, "mine")
    assert "--force" in refused.err
    ok("catalogue", "export", "--out", str(file), "--force")
    assert file.read_text("utf-8") == shipped()
    assert call("catalogue", "export", "--out", str(tmp_path / "none" / "c.toml")).code == 2
    assert call("catalogue", "export", "--out", str(tmp_path / "none" / "c"), "--force").code == 2
    assert list(tmp_path.glob(".*.toml.*")) == []


def test_export_of_a_database_without_a_catalogue_is_the_shipped_one(tmp_path: Path) -> None:
    fresh = ("--database", str(tmp_path / "fresh.sqlite3"))
    ok("upgrade", *fresh)
    assert answer("catalogue", "export", *fresh) == {
        "version": None,
        "file": None,
        "toml": shipped(),
    }


def test_show_by_name_and_a_product_that_is_not_there() -> None:
    (product,) = answer("catalogue", "show", "web hosting")["products"]
    assert product["id"] == "web-hosting"
    assert "--set domain=...  (required)" in ok("catalogue", "show", "web-hosting").out
    refused = call("catalogue", "show", "web-hostin")
    assert refused.code == 4
    assert "Did you mean" in refused.err
