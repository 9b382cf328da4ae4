"""`doctor`: what is wrong is named with what to do, and the exit code says whether anything is."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.model.catalogue.file import shipped as default
from mission_control_tui.provisioning import registry
from mission_control_tui.settings.settings import locations
from tests.cli.inprocess import answer, call, ok
from tests.support import free_port


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")


def init() -> None:
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")


def problems() -> dict[str, Any]:
    """The checks that found a problem, by name; the exit code agrees with them."""
    called = call("doctor", "--json")
    document = called.json
    found = {one["check"]: one for one in document["checks"] if one["level"] == "problem"}
    assert document["healthy"] is not bool(found)
    assert called.code == (1 if found else 0)
    assert all(one["remedy"] for one in found.values())
    return found


def findings(*flags: str) -> dict[str, Any]:
    """All checks, by name."""
    return {one["check"]: one for one in call(*flags, "doctor", "--json").json["checks"]}


def done(remedy: str) -> None:
    """Do what a remedy says, as it is printed."""
    subprocess.run(remedy.rpartition(": ")[2], shell=True, check=True)  # noqa: S602 - as a person types it


def test_fresh_machine_is_healthy_and_stays_untouched() -> None:
    assert problems() == {}
    assert not locations().database.exists()


def test_before_there_is_a_database_the_rest_is_looked_at(tmp_path: Path) -> None:
    data, secret = locations().data, tmp_path / "secret"
    data.mkdir(parents=True, mode=0o700)
    key = Path(f"{locations().database}.key")
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    log = Path(f"{locations().database}.worker.log")
    log.symlink_to(secret)
    secret.write_text("x\n")
    secret.chmod(0o644)
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        '[services]\ndatabases = "pg"\n[connectors.pg]\ntype = "postgresql"\nhost = "127.0.0.1"\n'
        f'port = {free_port()}\nuser = "nobody"\npassword_file = "{secret}"\ntls = "disable"\n'
    )
    found = problems()
    assert f"chmod 0600 {key}" in found["key"]["remedy"]
    assert str(secret) in found["connectors.pg.password_file"]["said"]
    assert "is a link" in found["files"]["said"]
    assert "Databases" in found["connector pg"]["said"]
    assert {path.name for path in data.iterdir()} == {key.name, log.name}
    refused = call("init", "--name", "Acme", "--code", "acme")
    assert refused.code == 8
    assert "open to others" in refused.err


def test_where_no_database_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.environ["MISSION_CONTROL_DATABASE"] = str(tmp_path / "file" / "a.db")
    assert problems()["database"]


def test_fresh_account_is_healthy() -> None:
    init()
    assert problems() == {}
    shown = ok("doctor")
    assert "All is well." in shown.err
    assert "connector simulator" in shown.out


def test_files_that_others_may_read() -> None:
    init()
    database = locations().database
    database.chmod(0o644)
    found = problems()["files"]
    assert found["remedy"] == f"chmod 0600 {database}"
    database.chmod(0o600)
    database.parent.chmod(0o755)
    assert problems()["files"]["remedy"] == f"chmod 0700 {database.parent}"


def test_key_that_is_gone_or_open_or_none() -> None:
    init()
    key = Path(f"{locations().database}.key")
    content = key.read_bytes()
    key.chmod(0o640)
    assert "chmod 0600" in problems()["key"]["remedy"]
    key.chmod(0o600)
    key.write_bytes(b"short")
    assert "5 bytes" in problems()["key"]["said"]
    key.unlink()
    assert str(key) in problems()["key"]["said"]
    key.touch(0o600)
    key.write_bytes(content)
    assert problems() == {}


def test_settings_that_cannot_be_used() -> None:
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[worker]\nslots = 'many'\n")
    said = problems()["settings"]["said"]
    assert "worker.slots" in said
    assert said.endswith("A worker that runs already goes on with the settings before.")
    file.write_text('[services]\ndatabases = "nowhere"\n')
    assert "nowhere" in problems()["settings"]["said"]
    file.write_text("")
    file.chmod(0o666)
    assert problems()["settings"]["remedy"] == f"chmod go-w {file}"


def test_queue_without_a_worker() -> None:
    ok("status")
    found = problems()["worker"]
    assert found["remedy"].endswith(" Start one: mission-control worker")


def test_back_end_that_does_not_answer(tmp_path: Path) -> None:
    init()
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    secret.chmod(0o600)
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        '[services]\ndatabases = "pg"\n[connectors.pg]\ntype = "postgresql"\nhost = "127.0.0.1"\n'
        f'port = {free_port()}\nuser = "nobody"\npassword_file = "{secret}"\ntls = "disable"\n'
    )
    found = problems()["connector pg"]
    assert "Databases" in found["said"]


def test_connector_of_an_unknown_type() -> None:
    init()
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[connectors.ours]\ntype = "nosuch"\n')
    said = problems()["connector ours"]["said"]
    assert "nosuch" in said
    assert "A worker that runs already goes on with the settings before." in said


def test_damaged_database() -> None:
    init()
    locations().database.write_bytes(b"this is no database" * 100)
    assert "damaged" in problems()["database"]["said"]


def test_named_database_that_is_not_there(tmp_path: Path) -> None:
    called = call("doctor", "--json", "--database", str(tmp_path / "typo.db"))
    assert called.code == 1
    assert not (tmp_path / "typo.db").exists()


def test_newer_schema_is_refused() -> None:
    init()
    with closing(sqlite3.connect(locations().database)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in problems()["database"]["said"]


def test_little_room_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    init()
    free = shutil.disk_usage(locations().data).free
    monkeypatch.setattr(
        "mission_control_tui.cli.installation.health_files.LOW_DISK_BYTES", free * 2
    )
    checks = answer("doctor")["checks"]
    assert [one["level"] for one in checks if one["check"] == "disk"] == ["warning"]


def test_a_doubted_clock_is_a_problem_until_it_is_confirmed() -> None:
    init()
    assert answer("clock", "show")["trusted"] is True
    assert call("clock", "confirm", "--yes").code == 5
    with closing(sqlite3.connect(locations().database)) as db, db:
        db.execute("UPDATE installation SET created_at = '2020-01-01', clock_trusted = 0")
        db.execute("DROP TRIGGER audit_no_update")
        db.execute("UPDATE audit SET at = '2020-01-02'")
    found = problems()["clock"]
    assert "days after all that the database knows (2020-01-02)" in found["said"]
    assert "clock confirm" in found["remedy"]
    for arguments in (("clock", "confirm"), ("--read-only", "clock", "confirm", "--yes")):
        assert call(*arguments).code == 7
    assert answer("clock", "confirm", "--dry-run", "--yes")["applied"] is False
    assert answer("clock", "show")["trusted"] is False
    ok("clock", "confirm", "--yes", "--ticket", "T-3")
    assert answer("clock", "show")["doubt"] == ""
    assert "clock" not in problems()
    assert answer("audit")["entries"][0]["action"] == "confirm clock"


ROGUE = """
from mission_control_tui.connect import Declaration, FenceGrade, Health

class Rogue:
    declares = Declaration(capabilities=frozenset(), fence=FenceGrade.ADVISORY)

    async def check(self):
        print("I speak out of turn")
        DEED

    async def aclose(self):
        raise SystemExit(5)

async def create(context):
    context.reader().finish()
    return Rogue()
"""


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("return 7", "int in the place of Health"),
        ("raise SystemExit(4)", "SystemExit"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("{", "SyntaxError"),
    ],
)
def test_what_a_connector_does_in_its_check_is_its_own_finding(
    deed: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"rogue_{abs(hash(deed))}"
    (tmp_path / f"{module}.py").write_text(ROGUE.replace("DEED", deed))
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("rogue", f"{module}:create", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[connectors.mail]\ntype = "rogue"\n')
    found = problems()
    assert set(found) == {"connector mail"}
    assert "mail (rogue)" in found["connector mail"]["said"]
    assert words in found["connector mail"]["said"]


def test_what_a_connector_does_not_keep_of_the_catalogue_is_told() -> None:
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    table = '[connectors.pg]\ntype = "postgresql"\nuser = "u"\nhost = "127.0.0.1"\n'
    table += '[connectors.dns]\ntype = "powerdns"\napi_key_env = "KEY"\n'
    table += 'name_servers = ["ns1.provider.example"]\n'
    services = 'managed-exchange = "pg"\ndomain-registration = "dns"\n'
    file.write_text(f"[services]\n{services}{table}")
    shipped = Path(default.__file__ or "").with_name("default.toml")
    lost = answer("catalogue", "check", str(shipped))["not_kept"]
    assert any(
        "Managed Exchange: connector pg does not keep the options quota" in one for one in lost
    )
    assert any(
        "level popx has no limit connection_limit, which connector pg needs" in one for one in lost
    )
    # Renewing is Mission Control's own: no connector has to keep that option.
    assert not any(one.startswith(("Databases", "Domain Registration")) for one in lost)
    assert "not kept   Managed Exchange" in ok("catalogue", "check", str(shipped)).out
    file.write_text("")
    assert answer("catalogue", "check", str(shipped))["not_kept"] == []


def test_remedies_work_as_they_are_printed(tmp_path: Path) -> None:
    home = tmp_path / "a place"
    home.mkdir(mode=0o700)
    database = home / "its.db"
    named = ("--database", str(database))
    missing = findings(*named)["database"]
    words = shlex.split(missing["remedy"].rpartition(": ")[2])
    assert words[:3] == ["mission-control", *named]
    ok(*(word.lower() for word in words[1:]))
    key, log = Path(f"{database}.key"), Path(f"{database}.worker.log")
    for path, check in ((database, "files"), (key, "key"), (log, "files")):
        if path != log:
            path.chmod(0o644)
        else:
            log.symlink_to(tmp_path / "elsewhere")
        assert findings(*named)[check]["level"] == "problem"
        done(findings(*named)[check]["remedy"])
        assert findings(*named)[check]["level"] == "ok", path
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    file.chmod(0o666)
    done(problems()["settings"]["remedy"])
    assert findings(*named)["settings"]["level"] == "ok"

    assert _damaged(database, named).endswith(" restore DIRECTORY")
    whole = database.with_name(f"{database.name}.backup-0001-1")
    shutil.copyfile(home / "whole.db", whole)
    done(_damaged(database, named))
    assert findings(*named)["database"]["level"] == "ok"
    assert database.with_name(f"{database.name}.damaged").exists()


def _damaged(database: Path, named: tuple[str, str]) -> str:
    """The remedy for a database that is none; what it was before is kept as whole.db."""
    if not (whole := database.with_name("whole.db")).exists():
        shutil.copyfile(database, whole)
    database.write_bytes(b"no database" * 99)
    return str(findings(*named)["database"]["remedy"])


def test_what_is_named_is_there_or_said_not_to_be(tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    named = ("--database", str(database))
    before = findings(*named)["connector simulator"]["said"]
    assert f"no {database}.simulator yet" in before
    ok(*named, "init", "--name", "Acme", "--code", "acme")
    shown = findings(*named)["files"]["said"]
    assert str(tmp_path) in shown
    assert not locations().data.exists()
    assert str(locations().data) not in shown


def test_a_table_that_cannot_be_used_has_a_remedy() -> None:
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[connectors.lab]\ntype = "exec"\n')
    found = problems()["connector lab"]
    assert "cannot be used: connectors.lab.program" in found["said"]
    assert found["remedy"] == "Correct [connectors.lab]: mission-control docs connectors"
    file.write_text("half = [")
    assert problems()["settings"]["remedy"] == f"Correct {file}."
    file.write_text('database = "postgresql://nobody@127.0.0.1:1/none"\n')
    assert "doctor" not in problems()["database"]["remedy"]
