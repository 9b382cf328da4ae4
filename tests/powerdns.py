"""A throw-away PowerDNS of the tests' own: started on loopback, stopped by its pid, nothing left behind."""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support import LOOPBACK, free_port, missing, require

INSTALL_LINE = "apt-get install -y pdns-server pdns-backend-sqlite3 sqlite3 bind9-dnsutils"
API_KEY = "The-Key-Of-The-Tests-7"

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
_START_SECONDS = 20.0
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class PowerDNSFailed(RuntimeError):
    """The server did not start; the message ends with its log."""


class PowerDNSServer:
    """One running (or stopped) server with zones of its own; use `start` to make one."""

    def __init__(self, binary: Path, dig: Path, directory: Path) -> None:
        self.directory = directory
        self.dns_port, self.api_port = free_port(), free_port()
        self._binary, self._dig = binary, dig
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(
            headers={"X-API-Key": API_KEY}, verify=_NO_TLS, timeout=5, trust_env=False
        )

    @classmethod
    def start(cls) -> Self:
        """Start a server; returns when its API answers. Skips the test (or fails it) where it is not installed."""
        binary = require("pdns_server", INSTALL_LINE)
        sqlite3, dig = require("sqlite3", INSTALL_LINE), require("dig", INSTALL_LINE)
        if not _SCHEMA.exists():
            missing("PowerDNS's backend for SQLite", INSTALL_LINE)
        server = cls(binary, dig, Path(tempfile.mkdtemp(prefix="mcdns-")))
        try:
            database = server.directory / "pdns.db"
            with _SCHEMA.open() as schema:
                subprocess.run([sqlite3, database], stdin=schema, check=True, capture_output=True)
            server.resume()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://{LOOPBACK}:{self.api_port}"

    def resume(self) -> None:
        """Start the stopped server again, on the same ports."""
        settings = {
            "daemon": "no",
            "guardian": "no",
            "config-dir": self.directory,
            "socket-dir": self.directory,
            "launch": "gsqlite3",
            "gsqlite3-database": self.directory / "pdns.db",
            "gsqlite3-pragma-synchronous": 0,
            "local-address": LOOPBACK,
            "local-port": self.dns_port,
            "api": "yes",
            "api-key": API_KEY,
            "webserver": "yes",
            "webserver-address": LOOPBACK,
            "webserver-port": self.api_port,
            "webserver-allow-from": LOOPBACK,
            "setuid": "",
            "setgid": "",
        }
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, *(f"--{key}={value}" for key, value in settings.items())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.api("GET", "")
            except httpx.HTTPError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    tail = (self.directory / "log").read_text(errors="replace")[-2000:]
                    raise PowerDNSFailed(tail) from None
                time.sleep(0.03)
            else:
                return

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server's process."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Stop the server, frozen or not; its zones stay."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop the server and remove all it kept."""
        self.stop()
        self._client.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the API past the connector; returns its JSON, None for an empty answer or 404."""
        reply = self._client.request(
            method,
            f"{self.url}/api/v1/servers/localhost{path}",
            content=None if body is None else json.dumps(body),
        )
        if reply.status_code == 404 or not reply.content:
            return None
        assert reply.is_success, reply.text
        return reply.json()

    def zone(self, name: str) -> Any:
        """A zone as the API tells it, None where there is none."""
        return self.api("GET", f"/zones/{name}.")

    def metadata(self, name: str) -> dict[str, list[str]]:
        """All metadata of a zone, by kind."""
        found = self.api("GET", f"/zones/{name}./metadata") or []
        return {row["kind"]: row["metadata"] for row in found}

    def bring(
        self, name: str, records: dict[tuple[str, str], list[str]], account: str = ""
    ) -> None:
        """Make a zone as somebody else would; records by (name within the zone, type)."""
        body = {"name": f"{name}.", "kind": "Native", "account": account, "nameservers": []}
        self.api(
            "POST", "/zones", {**body, "rrsets": [_rrset(name, *at, records[at]) for at in records]}
        )

    def set(self, zone: str, name: str, kind: str, contents: list[str]) -> None:
        """Write one set of records by hand; none removes it."""
        self.api("PATCH", f"/zones/{zone}.", {"rrsets": [_rrset(zone, name, kind, contents)]})

    def dig(self, name: str, kind: str = "A") -> list[str]:
        """What the server answers, as dig prints it, sorted."""
        return sorted(self._asked(name, kind, "+short").splitlines())

    def status(self, name: str, kind: str = "SOA") -> str:
        """The status of the server's answer: NOERROR, NXDOMAIN, REFUSED."""
        return self._asked(name, kind).partition("status: ")[2].partition(",")[0]

    def _asked(self, name: str, kind: str, *more: str) -> str:
        where = [f"@{LOOPBACK}", "-p", str(self.dns_port), "+tries=2", "+time=3"]
        asked = subprocess.run(
            [self._dig, *where, *more, name, kind],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
        return asked.stdout


def _rrset(zone: str, name: str, kind: str, contents: list[str]) -> dict[str, object]:
    return {
        "name": f"{zone}." if name == "@" else f"{name}.{zone}.",
        "type": kind,
        "ttl": 3600,
        "changetype": "REPLACE" if contents else "DELETE",
        "records": [{"content": content, "disabled": False} for content in contents],
    }
