"""Real processes that stand still, or whose line to PostgreSQL does: nobody waits for ever, and all is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.cli.accounts.test_buying import REGISTRANT
from tests.cli.command import ROOT
from tests.cli.inprocess import answer, ok
from tests.model.store.test_lost_connections import account, openssl, through, with_tls
from tests.provisioning.connectors.proxy import losing_proxy

__all__ = ["account", "with_tls"]

COMMAND = "mission_control_tui"


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the program with short waits; nothing of it stays."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.hurried", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGCONT)
            started.kill()
        started.communicate()


def asked(address: str, question: str) -> int:
    with psycopg.connect(address) as connection:
        (found,) = connection.execute(question).fetchone() or (0,)
        return int(found)


IN_THE_MIDDLE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'idle in transaction' AND backend_xid IS NOT NULL"
)
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock'"
)


def until(address: str, question: str, victim: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not asked(address, question):
        assert victim.poll() is None, victim.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stop_in_the_middle(address: str, victim: subprocess.Popen[str]) -> None:
    """Stop it while it has rows locked and PostgreSQL waits for its next word."""
    while True:
        until(address, IN_THE_MIDDLE, victim)
        victim.send_signal(signal.SIGSTOP)
        if asked(address, IN_THE_MIDDLE):
            return
        victim.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("later", [False, True], ids=["first slice", "later slice"])
def test_a_process_that_is_stopped_in_the_middle_of_a_change_lets_go_and_says_so(
    account: str, tmp_path: Path, later: bool
) -> None:
    rows = [f"u{number}@acme.example,U {number}" for number in range(400)]
    file = tmp_path / "u.csv"
    file.write_text("\n".join(["UPN,Display Name", *rows]) + "\n", "utf-8")
    words = ("users", "import", str(file), "--passwords-out", str(tmp_path / "p.csv"), "--json")
    with process(COMMAND, *words) as stopped:
        if later:
            until(account, "SELECT count(*) FROM users", stopped)
        stop_in_the_middle(account, stopped)
        began = time.monotonic()
        ok("buy", "email", "--level", "popx", "--quantity", "1")  # wants the account's row
        assert time.monotonic() - began < 10
        time.sleep(max(0.0, began + 2.5 - time.monotonic()))
        stopped.send_signal(signal.SIGCONT)
        _, told = stopped.communicate(timeout=60)
    error = json.loads(told[told.index("{") :])["error"]
    assert stopped.returncode == 8
    # Stopped just before it sends COMMIT it cannot know what became of that.
    unknown = error["code"] == "outcome-unknown"
    assert unknown or error["code"] == "store"
    there = answer("users", "list")["total"]
    assert there < 400
    if there:
        assert unknown or "The same file again goes on" in error["hint"]
    again = ("users", "import", str(file), "--passwords-out", str(tmp_path / "q.csv"))
    ok(*again)
    assert answer("users", "list")["total"] == 400


@pytest.mark.proof
async def test_a_command_behind_a_line_that_swallows_all_ends_with_exit_8(account: str) -> None:
    """Before the commit nothing has happened; of a commit that has no answer nobody knows."""
    port = psycopg.conninfo.conninfo_to_dict(account)["port"]
    buy = ("buy", "email", "--level", "popx", "--quantity", "1", "--json")
    for trigger, after, code in (
        (b"pg_notify", b"", "store"),
        (b"COMMIT;", b"pg_notify", "outcome-unknown"),
    ):
        async with losing_proxy(int(str(port)), trigger, silent=True, after=after) as proxy:
            with process(COMMAND, "--database", through(account, proxy), *buy) as silent:
                began = time.monotonic()
                _, told = await asyncio.to_thread(silent.communicate, timeout=60)
            assert time.monotonic() - began < 30
        assert silent.returncode == 8, told
        assert json.loads(told[told.index("{") :])["error"]["code"] == code
    found = await asyncio.to_thread(answer, "orders", "list")
    assert len(found["orders"]) == 1


@pytest.mark.proof
def test_a_domain_whose_worker_is_killed_while_it_renews_is_renewed_once(account: str) -> None:
    ok("buy", "domain-names", "--domain", "acme.com", *REGISTRANT)
    with psycopg.connect(account) as connection:
        connection.execute(
            "UPDATE domains SET added_at = added_at - interval '361 days' WHERE bought"
        )
    renewals = "SELECT count(*) FROM orders WHERE kind = 'renewal'"
    with psycopg.connect(account) as holder:
        holder.execute("SELECT id FROM accounts FOR UPDATE")
        with process(COMMAND, "worker") as killed:
            until(account, WAITING, killed)
            killed.kill()
            killed.wait(10)
        holder.rollback()
    assert asked(account, renewals) == 0
    with process(COMMAND, "worker") as killed:
        until(account, renewals, killed)
        killed.kill()
        killed.wait(10)
    with process(COMMAND, "worker") as last:
        time.sleep(3.0)
        assert last.poll() is None
    assert asked(account, renewals) == 1


def person(name: str) -> None:
    upn = ("--upn", f"{name}@acme.example", "--password-stdin")
    names = ("--first-names", name.title(), "--last-name", "Byron")
    ok("users", "create", *upn, *names, stdin="Correct-Horse-7\n")


GREEN = "SELECT count(*) FROM assignments JOIN users ON users.id = user_id WHERE light = 'green' AND upn LIKE '{}@%'"


@pytest.mark.proof
def test_all_connections_of_a_worker_are_encrypted_to_who_the_certificate_says(
    account: str, with_tls: Path, tmp_path: Path
) -> None:
    ok("buy", "email", "--level", "popx", "--quantity", "1")
    person("ada")
    by_name = make_url(account).set(host="localhost").render_as_string(hide_password=False)
    ours = "FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE datname = current_database()"
    ours += " AND pid <> pg_backend_pid()"
    strict = f"{by_name}?sslmode=verify-full&sslrootcert="
    with process(COMMAND, "--database", f"{strict}{with_tls}", "worker") as worker:
        ok("provision", "ada@acme.example", "managed-exchange")
        until(account, GREEN.format("ada"), worker)
        assert asked(account, f"SELECT count(*) {ours}") >= 2
        assert asked(account, f"SELECT count(*) {ours} AND NOT ssl") == 0
    strange = tmp_path / "strange"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-keyout", tmp_path / "strange.key", "-out", strange),
    )
    with process(COMMAND, "--database", f"{strict}{strange}", "worker") as refused:
        _, told = refused.communicate(timeout=60)
        assert refused.returncode == 8, told
        assert "certificate" in told.casefold()
