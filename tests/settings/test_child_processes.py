"""What processes that the program starts are given: what they need, and no code and no secret of anybody else."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

import mission_control_tui
from mission_control_tui.model.store.backups.postgresql import libpq_environment
from mission_control_tui.model.store.child_environment import environment_of_others
from mission_control_tui.settings.child_processes import command, environment_of_ours
from mission_control_tui.settings.settings import Settings

STARTS = {"Popen", "run", "call", "check_call", "check_output", "create_subprocess_exec"}
FORBIDDEN = {"echo_via_pager", "execv", "execvp", "execve", "system", "popen", "spawnv"}
PACKAGE = Path(mission_control_tui.__file__).parent


def test_what_reads_other_code_is_handed_on_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = (
        *("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONINSPECT", "PYTHONWARNINGS"),
        *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "BASH_ENV", "ENV", "LESSOPEN", "GCONV_PATH"),
        *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK"),
    )
    for name in planted:
        monkeypatch.setenv(name, "/planted")
    ours, others = environment_of_ours(Settings()), environment_of_others("LESS")
    assert not {*planted} & {name for name, value in ours.items() if value == "/planted"}
    assert not {*planted} & others.keys()
    assert {"HOME", "PATH", "LANG", "TERM"} <= ours.keys() & others.keys()
    monkeypatch.setenv("PGSSLROOTCERT", "/ours")
    of_backups = libpq_environment(make_url("postgresql://mia:secret@host/name"))
    assert not {*planted} & of_backups.keys()
    assert {"HOME": others["HOME"], "PGSSLROOTCERT": "/ours", "PGPASSWORD": "secret"}.items() <= (
        of_backups.items()
    )


def test_secrets_go_to_who_needs_them_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("MISSION_CONTROL_DATABASE", "PGPASSWORD", "PROVISIONER_PASSWORD", "NESTED_PASSWORD")
    for name in secrets:
        monkeypatch.setenv(name, "Kp7m-xR4w")
    tables = {"pg": {"type": "postgresql", "password_env": "PROVISIONER_PASSWORD"}}
    nested = {"other": {"type": "other", "admin": {"password_env": "NESTED_PASSWORD"}}}
    assert {*secrets} <= environment_of_ours(Settings(connectors={**tables, **nested})).keys()
    assert "PROVISIONER_PASSWORD" not in environment_of_ours(Settings())
    assert "Kp7m-xR4w" not in environment_of_others().values()


def test_a_module_of_the_working_directory_is_not_imported(tmp_path: Path) -> None:
    for name in ("click", "asyncio", "sitecustomize", "mission_control_tui"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path\nPath('planted').touch()\n")
    ran = subprocess.run(
        command("mission_control_tui", "locate", "--json"),
        cwd=tmp_path,
        env=environment_of_ours(Settings()),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "planted").exists()


def test_every_process_that_is_started_is_told_its_environment() -> None:
    found = 0
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            module = call.func.value
            known = isinstance(module, ast.Name) and module.id in ("subprocess", "asyncio")
            assert call.func.attr not in FORBIDDEN, (path, call.lineno)
            if not known or call.func.attr not in STARTS:
                continue
            if isinstance(module, ast.Name) and (module.id, call.func.attr) == ("asyncio", "run"):
                continue
            found += 1
            given = {word.arg: word.value for word in call.keywords}
            assert "env" in given, (path, call.lineno)
    assert found >= 3
