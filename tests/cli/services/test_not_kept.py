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
    ben = acme.user("ben")
    change = ("provision", ada, ben, "--service", "managed-exchange", "--level", "popx")
    planned = acme.json("bulk", "plan", *change, "--set", "quota=2 GB")["plan"]
    assert planned["warnings"] == [f"{LOST} (2 services)"]
    assert acme.json("bulk", "plan", *change)["plan"]["warnings"] == []
    file.with_name("people.csv").write_text(
        "UPN,First Names,Last Name,Display Name,Password,Services,Settings\n"
        "cy@acme.example,Cy,Lee,Cy Lee,Correct-Horse-77,managed-exchange=popx,quota=2048\n"
    )
    tried = acme.run("users", "import", file.with_name("people.csv"), "--dry-run", "--json")
    assert LOST in tried.json["plan_warnings"], tried
    acme.ok(*wish)
    (mailbox,) = [one for one in acme.json("status", ada)["services"] if one["login"]]
    assert "quota" in mailbox["not_kept"]
    assert "not kept: " in acme.ok("status", ada).out
    told = acme.json("users", "show", ada)["not_kept"]
    assert ("managed-exchange", "quota") in {(one["service"], one["option"]) for one in told}
    assert "Not kept" in acme.ok("users", "show", ada).out
