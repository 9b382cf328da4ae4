"""A real server for all that the catalogue `real` sells, on loopback: for the journey, and to try the program by hand.

`python -m tests.whole_site DIRECTORY` (as root) starts them, writes the settings into DIRECTORY and runs until Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import psutil
import tomlkit

from tests import mariadb, powerdns, samba
from tests.mail_server import MailServer
from tests.mariadb import MariaDBServer
from tests.nginx import NginxServer
from tests.postgres import PostgresServer
from tests.powerdns import PowerDNSServer
from tests.provisioning.connectors.ad import LARGE, REMOVED, SMALL, UNIT, prepare
from tests.provisioning.connectors.mail_sql import WRITER, make_database
from tests.samba import ADMINISTRATOR, BASE, SambaServer
from tests.support import LOOPBACK

MAIL_SERVERS = ("mail-1", "mail-2", "mail-3")
NAME_SERVERS = "ns1.provider.example, ns2.provider.example"
COMMAND = "mission_control_tui"


@dataclass
class WholeSite:
    """The servers, and in `directory` the settings that lead to them and all that Mission Control keeps."""

    directory: Path
    domain: SambaServer
    mail_database: PostgresServer
    mail: dict[str, MailServer]
    dns: PowerDNSServer
    web: NginxServer
    postgres: PostgresServer
    mariadb: MariaDBServer
    resources: contextlib.ExitStack = field(repr=False)

    @classmethod
    def start(cls, directory: Path, shared: Path) -> Self:
        """Start all servers, at ports found free; `shared` is where a directory's domain is made once."""
        directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as resources:

            def started(start: Callable[[], Any]) -> Any:
                server = start()
                resources.callback(server.close)
                return server

            domain = started(lambda: SambaServer.start(shared))
            prepare(domain)
            mail_database = started(PostgresServer.start)
            mail = {}
            first = make_database(mail_database)
            for name in MAIL_SERVERS:
                copy = mail_database.create_database(template=first.database)
                mail_database.execute(f"GRANT CONNECT ON DATABASE {copy} TO {WRITER}, {first.user}")
                login = replace(first, database=copy)
                mail[name] = started(partial(MailServer.start, login))
            return cls(
                directory,
                domain,
                mail_database,
                mail,
                started(PowerDNSServer.start),
                started(NginxServer.start),
                started(PostgresServer.start),
                started(MariaDBServer.start),
                resources.pop_all(),
            )

    def close(self) -> None:
        """Stop all servers and remove what they kept; what is in `directory` stays."""
        self.resources.close()

    @property
    def settings_file(self) -> Path:
        """The settings that `configure` writes."""
        return self.directory / "settings.toml"

    @property
    def secrets(self) -> dict[str, str]:
        """The secret of each server, by the file in which Mission Control looks for it."""
        return {
            "directory": samba.PASSWORD,
            "mail": "writes",
            "dns": powerdns.API_KEY,
            "databases": self.postgres.password,
            "mariadb": mariadb.PASSWORD,
        }

    def answers(self) -> dict[str, str]:
        """What `init --back-ends` is told."""
        told = {
            "directory.host": self.domain.address,
            "directory.user": ADMINISTRATOR,
            "directory.ca_file": str(self.domain.certificates / "ca.pem"),
            "directory.base": BASE,
            "directory.unit": UNIT,
            "mail.names": ",".join(MAIL_SERVERS),
            "mail.user": WRITER,
            "mail.host": self.mail_database.host,
            "dns.url": self.dns.url,
            "dns.name_servers": NAME_SERVERS,
            "web.configuration.directory": str(self.web.sites),
            "web.configuration.roots": str(self.web.roots),
            "databases.host": self.postgres.host,
            "databases.user": "postgres",
            "mariadb.host": LOOPBACK,
            "mariadb.user": self.mariadb.user,
        }
        for name, secret in self.secrets.items():
            file = self.directory / f"{name}.secret"
            file.touch(mode=0o600)
            file.write_text(secret + "\n")
            key = "api_key_file" if name == "dns" else "password_file"
            told[f"{name}.{key}"] = str(file)
        return told

    def configure(self) -> None:
        """Write settings by `init --back-ends`, with what only these servers need; all connectors may write."""
        words = [word for answer in self.answers().items() for word in ("--set", "=".join(answer))]
        self.run("init", "--back-ends", "--out", str(self.settings_file), *words)
        document = tomlkit.parse(self.settings_file.read_text())
        tables: Any = document["connectors"]
        for name, table in tables.items():
            if table["type"] != "composite":
                table["mode"] = "enabled"
            if name in self.mail:
                login: Any = self.mail[name].database
                table["port"], table["database"] = login.port, login.database
        tables["databases"]["port"] = self.postgres.port
        tables["mariadb"]["port"] = self.mariadb.port
        tables["directory"]["removed_unit"] = REMOVED
        tables["directory"]["groups"] = [SMALL, LARGE]
        tables["directory"]["levels"] = {
            "popx": {"groups": [SMALL]},
            "pc-web": {"groups": [LARGE]},
            "pc-web-mobile": {"groups": [LARGE]},
        }
        tables["dns"]["records"] = [{"type": "MX", "content": ["10 mx.provider.example"]}]
        web = tables["web"]["configuration"]
        web["listen"], web["address"] = [self.web.address], self.web.address
        web["nginx"], web["reload"] = self.web.command, [str(self.web.directory / "reload")]
        document["database"] = self.database
        document["worker"] = {
            "pause_seconds": 0.5,
            "retry_first_seconds": 0.2,
            "retry_cap_seconds": 1,
        }
        # Texts of the settings go before tables.
        ordered = {
            key: document[key] for key in sorted(document, key=lambda key: key != "database")
        }
        self.settings_file.write_text(tomlkit.dumps(ordered))
        self.write_environment()

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the program needs to find all this, and nothing else."""
        home = str(self.directory)
        return {
            "HOME": home,
            "XDG_CONFIG_HOME": f"{home}/config",
            "XDG_DATA_HOME": f"{home}/data",
            "XDG_STATE_HOME": f"{home}/state",
            "MISSION_CONTROL_SETTINGS": str(self.settings_file),
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }

    def write_environment(self) -> None:
        """Write the file `environment` for a shell: where the settings and the servers' ports are."""
        ports = {"DNS_PORT": self.dns.dns_port, "WEB_PORT": self.web.port}
        for name, server in self.mail.items():
            variable = name.upper().replace("-", "_")
            ports |= {f"{variable}_{kind}_PORT": server.ports[kind] for kind in ("IMAP", "POP")}
        lines = [f"export {name}={port}" for name, port in ports.items()]
        lines.append(f"export MISSION_CONTROL_SETTINGS={shlex.quote(str(self.settings_file))}")
        lines.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
        (self.directory / "environment").write_text("\n".join(lines) + "\n")

    def run(self, *words: str, stdin: str = "", code: int = 0) -> str:
        """Run a command; returns its stdout. Raises AssertionError where it does not end with `code`."""
        environment = self.environment
        if not self.settings_file.exists():
            del environment["MISSION_CONTROL_SETTINGS"]
        ran = subprocess.run(
            [sys.executable, "-m", COMMAND, *words],
            input=stdin,
            env=environment,
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == code, f"{words}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def json(self, *words: str) -> Any:
        """Run a command that prints JSON."""
        return json.loads(self.run(*words, "--json"))

    def lights(self, *subject: str) -> list[dict[str, Any]]:
        """What `status` says of the services that a subject has."""
        services: list[dict[str, Any]] = self.json("status", *subject)["services"]
        return [one for one in services if one["light"] != "grey"]

    def wait_for(self, *subject: str, light: str, seconds: float = 90) -> list[dict[str, Any]]:
        """Return the lights of a subject once all are of this colour; AssertionError where that takes too long."""
        deadline = time.monotonic() + seconds
        while True:
            lights = self.lights(*subject)
            if {one["light"] for one in lights} == {light}:
                return lights
            assert time.monotonic() < deadline, lights
            time.sleep(0.3)

    def wait_until_told(self, *subject: str, says: str, seconds: float = 60) -> None:
        """Wait until an orange light of a subject says these words. Raises AssertionError where it does not in time."""
        deadline = time.monotonic() + seconds
        while True:
            lights = self.lights(*subject)
            orange = [f"{one['step']} {one['error']}" for one in lights if one["light"] == "orange"]
            if any(says in told for told in orange):
                return
            assert time.monotonic() < deadline, lights
            time.sleep(0.3)

    def password_of(self, file: str, upn: str) -> str:
        """Return the generated password of a user in a CSV file of this directory."""
        with (self.directory / file).open(newline="") as table:
            return next(row["password"] for row in csv.DictReader(table) if row["upn"] == upn)

    def end_worker(self) -> None:
        """End the workers of this database, by their pids."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "mission_control_tui.provisioning.worker_main" in words and self.database in words:
                process.kill()
                process.wait(10)

    @property
    def database(self) -> str:
        """The file of Mission Control's own database."""
        return str(self.directory / "mission-control.db")

    def sell(self) -> None:
        """Make the account acme, and put the catalogue `real` in force."""
        catalogue = self.directory / "catalogue.toml"
        self.run(
            "init", "--name", "Acme Pty Ltd", "--code", "acme", "--domain", "acme.example", "--yes"
        )
        self.run("catalogue", "export", "--shipped", "real", "--out", str(catalogue))
        tomllib.loads(catalogue.read_text())
        self.run("catalogue", "load", str(catalogue))


def main() -> None:
    """Start the servers, say where the settings are, and run until somebody stops it."""
    parser = argparse.ArgumentParser(description="Real servers for every service, on loopback.")
    parser.add_argument("directory", type=Path, help="where settings and secrets go")
    directory = parser.parse_args().directory.absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    site = WholeSite.start(directory, directory / "shared")
    try:
        site.configure()
        site.sell()
        sys.stdout.write(f"In another terminal: . {shlex.quote(str(directory / 'environment'))}\n")
        sys.stdout.write("All servers run until Ctrl-C.\n")
        sys.stdout.flush()
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.default_int_handler)
        signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("Stopping.\n")
    finally:
        site.end_worker()
        site.close()


if __name__ == "__main__":
    main()
