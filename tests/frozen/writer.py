"""Writes tests/data/store-0002.sql: a database of this schema with everything that the program stores.

    python -m tests.frozen.writer

It works through the program's own doors: the command line, the worker on its simulator, the console. What no door
leaves behind (a worker that died, what a later version may store) is written as rows. The file stays as it is for
ever: a later schema is frozen under a name of its own.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from mission_control_tui.model.bulk import control as bulks
from mission_control_tui.model.bulk.slices import work_slice
from mission_control_tui.model.caller import Caller
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.migrations import HEAD
from mission_control_tui.model.store.scope import AccountScope
from mission_control_tui.model.users.actions.params import ActionParams
from mission_control_tui.provisioning.connectors import simulator
from tests.cli.inprocess import call, ok
from tests.frozen import places
from tests.frozen.store import DATA, DUMP, FROZEN, KEY
from tests.support import hermetic

PASSWORD = "Correct-Horse-7\n"
MAIL = ("managed-exchange", "--level", "popx")
SETTINGS = """
[worker]
removal_limit = {removal_limit}
retry_first_seconds = {first}
retry_cap_seconds = {first}

[connectors.other]
type = "simulator"
delay_factor = 0

[connectors.simulator]
delay_factor = 0
"""
FLAKY = """
[[rule]]
id = "flaky"
upn = "flaky@*"
step = "mailbox"
state = "present"
fail = "transient"
said = "mailbox store [DB01] is offline"
remedy = "It is tried again by itself."
"""
RULES = Path(simulator.__file__).with_name("rules.toml")
PAST = "2026-11-01 09:00:00.000000"

LATER = """
INSERT INTO audit (account_id, at, operator, source, ticket, action, target, user_id, before, after, session)
SELECT 2, '2026-11-29 09:00:00.000000', 'zed', 'later', 'T-99', new.action, upn, id, '{}', new.after, ''
FROM users, (
    SELECT 'transmogrify user' AS action, '{"form": "tiger"}' AS after
    UNION ALL SELECT 'archive managed-exchange', '{"box": 7}'
) AS new WHERE upn = 'ada@acme.example' ORDER BY 6 DESC;

INSERT INTO schedules (account_id, user_id, action, params, due_at, time_zone, state, said, operator, ticket, session,
    created_at, version)
SELECT 2, id, 'hibernate', '{"service": "managed-exchange", "depth": 3}', '2036-07-01 00:00:00.000000', 'UTC',
    new.state, new.said, 'zed', '', '', '2026-11-01 09:00:00.000000', 1
FROM users, (SELECT 'waiting' AS state, '' AS said UNION ALL SELECT 'done', 'It was so.') AS new
WHERE upn = 'ada@acme.example' ORDER BY 7 DESC;

INSERT INTO bulks (account_id, action, state, params, operator, ticket, session, total, created_at, ended_at)
VALUES (2, 'archive', 'done', '{"service": "managed-exchange", "box": 7}', 'zed', '', '', 0,
    '2026-11-29 09:00:00.000000', '2026-11-29 09:00:00.000000');

INSERT INTO drafts (operator, account_id, kind, subject, title, content, updated_at)
VALUES ('zed', 2, 'robot', '', 'Robby', '{"arguments": [], "memory": {"$map": {}}}', '2026-11-01 09:00:00.000000');

INSERT INTO sessions (id, operator, host, pid, pid_started, place, ticket, started_at, seen_at, ended)
SELECT 'f' || substr(id, 2), 'zed', host, pid, pid_started, '{
    "account": 2, "screens": [["home", []], ["robots", [3]], ["users", []]],
    "memory": {"2 RobotScreen 3": {"$later": [1]}, "2 UsersScreen": {"$map": {"shown": "all", "find": "ada"}}}
}', ticket, started_at, seen_at, ended FROM sessions WHERE operator = 'bea';
"""


class Writer:
    """The store while it is made, in the data directory of a home of its own."""

    def __init__(self, home: Path) -> None:
        self.path = home / ".local/share/mission-control/mission-control.db"
        self.settings = home / ".config/mission-control/settings.toml"

    def configure(self, more: str = "", *, removal_limit: int = 1000, first: float = 0.05) -> None:
        """Write the settings: quick, with these of the worker changed."""
        text = SETTINGS.format(removal_limit=removal_limit, first=first)
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(text + more, "utf-8")

    def sql(self, *statements: str) -> None:
        """Write rows that no door leaves behind."""
        with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
            for statement in statements:
                database.execute(statement)

    def one(self, statement: str) -> Any:
        """A single value."""
        with closing(sqlite3.connect(self.path)) as database:
            row = database.execute(statement).fetchone()
            return None if row is None else row[0]

    def work(self, until: str = "") -> None:
        """Have the worker do what is queued and due, or as much as makes this query true."""
        arguments = [sys.executable, "-m", "mission_control_tui", "worker", "--once"]
        with subprocess.Popen(arguments) as worker:
            while until and not self.one(until):
                time.sleep(0.1)
            if until:
                worker.terminate()
        assert worker.returncode == 0 or until

    def user(self, name: str, *options: str) -> str:
        upn = f"{name}@acme.example"
        names = ("--first-names", name.title(), "--last-name", "Example")
        ok("users", "create", "--upn", upn, *names, "--password-stdin", *options, stdin=PASSWORD)
        return upn

    def database(self, name: str, instance: str) -> None:
        """Give a database, which gets a password of its own."""
        ok("provision", name, "databases", "--level", "small", "--instance", instance,
           "--passwords-out", f"{name}-{instance}.csv")  # fmt: skip

    def last_request(self, where: str = "1") -> str:
        return str(self.one(f"SELECT max(id) FROM requests WHERE {where}"))

    def write(self) -> None:
        """All of it."""
        self.configure()
        ok("users", "list")  # makes the sample account, which a real one would leave out
        self._account()
        self._users()
        self._services()
        self._objects()
        self._templates()
        self._schedules()
        self._bulks()
        self._money()
        self._operation()
        self._places()
        self._under_way()
        self._later_version()
        self._tidy()

    def _account(self) -> None:
        ok("init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example",
           "--time-zone", "Australia/Sydney", "--ticket", "T-1")  # fmt: skip
        os.environ["MISSION_CONTROL_ACCOUNT"] = "acme"
        ok("account", "contacts", "set", "primary", "--name", "Paula", "--phone", "+61 2 9374 4000")
        for level, quantity in (("popx", 40), ("pc-web", 10), ("pc-web-mobile", 3)):
            ok("buy", "email", "--level", level, "--quantity", str(quantity))
        ok("buy", "databases", "--level", "small", "--quantity", "12")
        ok("buy", "databases", "--level", "medium", "--quantity", "2")
        ok("buy", "web-hosting", "--level", "starter", "--domain", "acme.example")

    def _users(self) -> None:
        ada = self.user("ada", "--notes", "Zoë\nline two", "--title", "Analyst")
        for name in ("ben", "cleo", "dora", "emil", "fay", "gil", "hal", "ivo", "jan", "kim"):
            self.user(name, "--department", "Sales")
        for name in ("never.works", "fails.once", "gone", "purged", "back", "locked", "expired"):
            self.user(name)
        ok("users", "edit", ada, "--title", "Chief Analyst", "--country", "AU")
        ok("users", "alias", "add", ada, "countess@acme.example")
        ok("users", "alias", "add", ada, "lovelace@acme.example")
        ok("users", "alias", "remove", ada, "lovelace@acme.example")
        ok("users", "alias", "primary", ada, "countess@acme.example")

    def _services(self) -> None:
        for name in ("ada", "ben", "cleo", "dora", "emil", "gone", "back", "locked", "expired"):
            ok("provision", name, *MAIL, "--ticket", "T-2")
        for name in ("never.works", "fails.once"):
            ok("provision", name, *MAIL)
        for name in ("main", "test", "old"):
            self.database("ada", name)
        self.database("ben", "crm")
        self.work()
        ok("provision", "ada", "managed-exchange", "--level", "pc-web", "--set", "quota=2048")
        ok("suspend", "cleo", "managed-exchange")
        ok("suspend", "dora", "managed-exchange")
        self.work()
        ok("resume", "dora", "managed-exchange")
        ok("deprovision", "ada", "databases", "--instance", "old", "--yes")
        ok("users", "password", "ada", "--password-stdin", stdin=PASSWORD)
        ok("users", "password", "ada", "--service", "databases", "--instance", "main",
           "--password-stdin", stdin=PASSWORD)  # fmt: skip
        ok("users", "disable", "emil")
        ok("users", "disable", "ben")
        ok("users", "enable", "ben")
        for name in ("gone", "back"):
            ok("users", "deprovision", name, "--yes")
        self.sql("UPDATE users SET locked = 1 WHERE upn = 'locked@acme.example'",
                 "UPDATE users SET expires_on = '2026-01-31' WHERE upn = 'expired@acme.example'")  # fmt: skip
        ok("users", "unlock", "locked")
        self.work()
        for name in ("gone", "back", "purged"):
            ok("users", "delete", name, "--yes")
        ok("users", "restore", "back")
        ok("users", "purge", "purged", "--yes")

    def _objects(self) -> None:
        group = ("objects", "create", "distribution-group")
        ok(*group, "Sales", "sales@acme.example", "--add", "member=ada", "--add", "owner=ben",
           "--set", "who-may-send=anyone")  # fmt: skip
        ok("objects", "create", "shared-mailbox", "Info", "info@acme.example", "--add",
           "full-access=ada")  # fmt: skip
        ok("objects", "create", "mail-contact", "Print Shop", "orders@printer.example")
        for name in ("Old", "Again"):
            ok(*group, name, f"{name.lower()}@acme.example", "--add", "member=cleo")
        self.work()
        ok("objects", "join", "Sales", "dora", "Print Shop")
        ok("objects", "leave", "Sales", "Print Shop")
        ok("objects", "edit", "Sales", "--name", "Sales Team", "--set", "note=All of them")
        for name in ("Old", "Again"):
            ok("objects", "remove", name, "--yes")
        self.work()
        ok("objects", "restore", self.one("SELECT id FROM objects WHERE name = 'Again'"))
        self.work()

    def _templates(self) -> None:
        ok("templates", "save", "Sales", "--like", "ada")
        ok("templates", "save", "Kiosk", "--field", "department=Shop", "--give",
           "managed-exchange=popx", "--give", "databases/till=small")  # fmt: skip
        ok("templates", "rename", "Kiosk", "Shop")
        ok("templates", "save", "Gone", "--field", "city=Sydney")
        ok("templates", "remove", "Gone", "--yes")

    def _schedules(self) -> None:
        later, soon = "2036-06-01T09:00", "2036-06-01T10:00"
        add = ("schedule", "add")
        ok(*add, "jan", later, "provision", "databases", "--level", "small", "--instance", "later",
           "--ticket", "T-3")  # fmt: skip
        ok(*add, "dora", later, "suspend", "managed-exchange")
        ok(*add, "cleo", later, "resume", "managed-exchange")
        ok(*add, "ben", later, "deprovision", "databases", "--instance", "crm")
        ok(*add, "fay", later, "disable")
        ok(*add, "emil", later, "enable")
        changed = ok(*add, "kim", later, "disable", "--json").json
        ok("schedule", "change", str(_schedule(changed)), "--when", soon)
        ok("schedule", "cancel", str(_schedule(ok(*add, "kim", later, "enable", "--json").json)))
        for words in (("hal", later, "disable"), ("hal", later, "resume", "managed-exchange")):
            number = _schedule(ok(*add, *words, "--json").json)
            self.sql(f"UPDATE schedules SET due_at = '2026-11-01 09:00:00.000000' WHERE id = {number}")  # fmt: skip
        self.work()

    def _bulks(self) -> None:
        bulk = ("bulk", "start")
        yes = ("--yes",)
        mail = ("--service", "managed-exchange")
        names = ("fay", "gil", "hal")
        ok(*bulk, "provision", *names, *mail, "--level", "popx", "--include-disabled", *yes)
        self.work()
        ok(*bulk, "change", *names, *mail, "--level", "pc-web", *yes)
        self.work()
        for action in ("suspend", "resume"):
            ok(*bulk, action, *names, *mail, *yes)
            self.work()
        for action in ("disable", "enable"):
            ok(*bulk, action, *names, "locked", *yes)
            self.work()
        ok(*bulk, "password", "fay", "gil", "--passwords-out", "bulk.csv", *yes)
        self.work()
        ok(*bulk, "deprovision", "hal", *mail, *yes)
        self.work()
        call("requests", "retry", "--all-red")
        self.work()
        number = self.one("SELECT id FROM bulks WHERE action = 'change'")
        ok("undo", "bulk", str(number), "--force", *yes)
        self.work()
        listed = Path("many.txt")
        listed.write_text("Ann Lee\nBob Ray\n", "utf-8")
        ok("users", "paste", str(listed), "--template", "Shop", "--passwords-out", "paste.csv")
        self.work()

    def _money(self) -> None:
        order = "SELECT max(id) FROM orders"
        ok("account", "approval", "--above", "50")
        for _ in range(4):
            ok("buy", "databases", "--level", "medium", "--quantity", "9")
        last = self.one(order)
        ok("orders", "approve", str(last - 3), "--note", "Seen")
        ok("orders", "decline", str(last - 2), "--reason", "No such project")
        ok("orders", "cancel", str(last - 1), "--yes", "--reason", "Ordered twice")
        ok("remove", "databases", "--level", "medium", "--quantity", "1", "--yes")
        ok("buy", "databases", "--level", "small", "--quantity", "1")
        ok("orders", "cancel", str(self.one(order)), "--yes", "--reason", "A mistake")
        answers = {"registrant-name": "Acme Pty Ltd", "registrant-email": "owner@acme.example"}
        given = [word for one in answers.items() for word in ("--set", "=".join(one))]
        ok("buy", "domain-names", "--domain", "acme.com", *given)
        self.work()
        ok("remove", "domain-names", "--domain", "acme.com", "--yes")
        self.work()
        self.sql("UPDATE accounts SET created_at = '2026-10-01 00:00:00.000000'")
        ok("account", "statement", "--month", "2026-10")

    def _operation(self) -> None:
        """Removals above the limit, drift, another connector, reset and cancelled requests."""
        for name in ("one", "two", "three"):
            self.database("kim", name)
        self.work()
        self.configure(removal_limit=1)
        for name in ("one", "two", "three"):
            ok("deprovision", "kim", "databases", "--instance", name, "--yes")
        self.work()
        ok("requests", "allow", "--yes", "--ticket", "T-205")
        self.configure()
        self.work()
        self._differ(True)
        call("drift")
        self._differ(False)
        call("drift")
        self._differ(True, "ben@acme.example")
        call("drift")
        for more in ('\n[services]\ndatabases = "other"\n', ""):
            self.configure(more)
            self.work()
        ok("provision", "ivo", *MAIL)
        ok("requests", "cancel", self.last_request("assignment_id IS NOT NULL"))
        ok("requests", "retry", self.last_request("state = 'failed' AND account_id = 2"))
        self.work()
        ok("provision", "ivo", "managed-exchange", "--level", "pc-web")
        ok("requests", "reset", self.last_request("state = 'queued'"))
        call("requests", "retry", self.last_request("kind = 'change'"))
        self.work()

    def _differ(self, differs: bool, upn: str = "ada@acme.example") -> None:
        """Change a mailbox's level at the simulator behind the program's back, or change it back."""
        before, after = ('"popx"', '"basic"') if upn.startswith("ben") else ('"pc-web"', '"basic"')
        if not differs:
            before, after = after, before
        name = self.one(
            "SELECT backend_name FROM assignments a JOIN users u ON u.id = a.user_id"
            f" WHERE u.upn = '{upn}' AND service_id = 'managed-exchange'"
        )
        with closing(sqlite3.connect(self.path.with_name("simulator.db"))) as objects, objects:
            changed = objects.execute(
                "UPDATE object SET body = replace(body, ?, ?) WHERE name = ?", (before, after, name)
            )
            assert changed.rowcount == 1

    def _places(self) -> None:
        """Where operators were in the console, and the forms that they left."""
        asyncio.run(places.keep(self.path, self.one))

    def _under_way(self) -> None:
        """What waits for whoever opens the store: requests in every state, schedules that are due, half a bulk."""
        self._held_and_waiting()
        add = ("schedule", "add")
        soon = "2036-06-02T09:00"
        mail = "managed-exchange"
        due = (
            ("lee", "provision", mail, "--level", "popx"),
            ("ben", "suspend", mail),
            ("cleo", "resume", mail),
            ("gil", "deprovision", mail),
            ("fay", "disable"),
            ("emil", "enable"),
        )
        for name, *words in due:
            number = _schedule(ok(*add, name, soon, *words, "--json").json)
            self.sql(f"UPDATE schedules SET due_at = '{PAST}' WHERE id = {number}")
        asyncio.run(self._bulks_under_way())
        ok("provision", "ivo", mail, "--level", "popx", "--ticket", "T-9")
        self.database("jan", "queue")
        ok("users", "edit", "dora", "--title", "Queued")
        self._dead_worker()

    def _held_and_waiting(self) -> None:
        """A removal that waits for a yes, and a request that is tried again later."""
        for name in ("lee", "mia", "nat", "flaky"):
            self.user(name)
        for name in ("held.one", "held.two"):
            ok("provision", self.user(name), *MAIL)
        self.work()
        rules = self.settings.with_name("rules.toml")
        rules.write_text(RULES.read_text("utf-8") + FLAKY, "utf-8")
        self.configure(
            f'path = "{self.path.with_name("simulator.db")}"\nrules = "{rules}"\n',
            removal_limit=1,
            first=3600,
        )
        for name in ("held.one", "held.two"):
            ok("deprovision", name, "managed-exchange", "--yes")
        ok("provision", "flaky", *MAIL)
        self.work(
            "SELECT count(*) > 1 FROM requests WHERE failures > 0 AND state = 'queued' OR hold = 'held'"
        )
        self.configure()

    async def _bulks_under_way(self) -> None:
        """One that the worker has begun, one that somebody stopped, one whose passwords nobody has taken."""
        caller = Caller("anna", source="console", ticket="T-8", session="5" * 32)
        store = await Store.open(self.path)
        scope = AccountScope(store, caller, "acme")
        mail = ActionParams("managed-exchange", "popx")
        names = ("jan", "kim", "lee", "mia", "nat")
        begun = (await bulks.start(scope, names, "provision", mail)).result.id
        await bulks.stop(scope, begun)
        await bulks.resume(scope, begun)
        await work_slice(store, begun, limit=2)
        mail = ActionParams("managed-exchange")
        stopped = await bulks.start(scope, ("dora", "locked"), "suspend", mail)
        await bulks.stop(scope, stopped.result.id)
        await bulks.start(scope, ("fay", "dora"), "password")
        await store.close()

    def _dead_worker(self) -> None:
        """A worker was killed in the middle of a step, another connector is paused."""
        request = self.last_request("state = 'queued' AND assignment_id IS NOT NULL")
        self.sql(
            "INSERT INTO workers (id, host, pid, pid_started, app_version, started_at, lease_until,"
            " draining, ended) VALUES ('dead', 'elsewhere', 1, 0.5, '0.1.0', 1.0, 2.0, 0, 0)",
            "UPDATE requests SET state = 'running', worker_id = 'dead', attempt = 1,"
            f" started_at = '{PAST}' WHERE id = {request}",
            "UPDATE assignments SET word = 'Provisioning', step = 'mailbox'"
            f" WHERE id = (SELECT assignment_id FROM requests WHERE id = {request})",
            "INSERT INTO request_steps (request_id, attempt, number, name, state, started_at)"
            f" VALUES ({request}, 1, 1, 'mailbox', 'running', '{PAST}')",
            "INSERT INTO connector_states (name, paused, kind, said, remedy, since, next_check_at)"
            f" VALUES ('other', 1, 'auth', 'The key is refused', 'Renew it.', '{PAST}', 4e9)",
        )

    def _later_version(self) -> None:
        """What a later version may have stored, which this one shows as it is."""
        with closing(sqlite3.connect(self.path)) as database:
            database.executescript(LATER)

    def _tidy(self) -> None:
        """Take out what is this machine's."""
        later = "'elsewhere' || substr({0}, instr({0}, '-')) WHERE {0} LIKE '%-%'"
        self.sql(
            "UPDATE sessions SET host = 'elsewhere', pid = 1, pid_started = 0.5, ended = 'lost'",
            "UPDATE workers SET host = 'elsewhere', pid = 1, pid_started = 0.5",
            f"UPDATE workers SET id = {later.format('id')}",
            f"UPDATE requests SET worker_id = {later.format('worker_id')}",
        )


def dump(path: Path) -> None:
    """Freeze the store at `path`, with the key that its passwords are sealed for."""
    with closing(sqlite3.connect(path)) as connection:
        DUMP.write_text("\n".join(connection.iterdump()) + "\n", "utf-8")
    KEY.write_bytes(Path(f"{path}.key").read_bytes())


def _schedule(told: Any) -> int:
    return int(told["schedule"]["id"])


def main() -> None:
    """Write the file, where there is none yet."""
    if HEAD != FROZEN or DUMP.exists():
        sys.exit(f"{DUMP.name} stays as it is; a later schema is frozen under its own name.")
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        hermetic(os.environ, home)
        time.tzset()
        os.environ["PYTHONPATH"] = str(DATA.parents[1])
        os.environ["MISSION_CONTROL_NO_WORKER"] = "1"
        os.environ["LOGNAME"] = "anna"  # what getpass asks for first
        os.chdir(home)
        writer = Writer(home)
        writer.write()
        dump(writer.path)


if __name__ == "__main__":
    main()
