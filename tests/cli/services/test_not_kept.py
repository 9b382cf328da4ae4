"""What a connector does not keep is said where it is wished, once `connectors check` has opened it."""

from __future__ import annotations

from mission_control_tui.settings.settings import locations
from tests.cli.command import Command
from tests.support import free_port

LOST = "Managed Exchange: not kept by connector pg: quota"


def test_a_wish_for_what_is_not_kept_says_so(acme: Command) -> None:
    file = locations().settings_file
    file.parent.mkdir(parents=True, exist_ok=True)
    table = f'type = "postgresql"\nuser = "u"\nhost = "127.0.0.1"\nport = {free_port()}\n'
    file.write_text(f'[services]\nmanaged-exchange = "pg"\n[connectors.pg]\n{table}')
    ada = acme.user("ada")
    wish = ("provision", ada, "managed-exchange", "--level", "pc-web", "--set", "quota=2 GB")
    assert "not kept" not in acme.ok(*wish, "--dry-run").err
    assert acme.run("--read-only", "connectors", "check").code == 1, "nobody answers there"
    assert "not kept" not in acme.ok(*wish, "--dry-run").err
    assert acme.run("connectors", "check").code == 1
    assert f"Warning: {LOST}" in acme.ok(*wish, "--dry-run").err
    assert acme.json(*wish, "--dry-run")["plan"]["warnings"] == [LOST]
