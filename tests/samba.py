"""A throw-away Active Directory of the tests' own: Samba on loopback, stopped by its pid, nothing left behind.

LDAP's ports are fixed, so each server has an address of its own. A domain is made once for all workers of a run, and
copied for each.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from filelock import FileLock

from tests.support import missing, require

INSTALL_LINE = (
    "apt-get install -y --no-install-recommends samba samba-ad-provision samba-dsdb-modules"
    " samba-vfs-modules python3-samba"
)
SCHEMA = Path("/usr/share/samba/setup/ad-schema")
BASE = "DC=corp,DC=example,DC=test"
ADMINISTRATOR = "Administrator@corp.example.test"
PASSWORD = "The-Password-Of-The-Tests-7"
LDAPS = 636

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class SambaFailed(RuntimeError):
    """The server did not start; the message ends with its log."""


def require_samba() -> Path:
    """Return the path of the server; skips the test (or fails it) where it is missing, or where nobody is root."""
    require("samba-tool", INSTALL_LINE)
    binary = require("samba", INSTALL_LINE)
    if not SCHEMA.exists():
        missing("Samba's schema of Active Directory", INSTALL_LINE)
    if os.geteuid() != 0:
        missing("the right to run a domain controller", "sudo ./run-tests (it has to be root)")
    return binary


def _openssl(directory: Path, *arguments: str) -> None:
    openssl = require("openssl", "apt-get install -y openssl")
    subprocess.run([openssl, *arguments], cwd=directory, check=True, capture_output=True)


def make_certificates(directory: Path, address: str) -> None:
    """Write ca.pem, cert.pem and key.pem, of a server at this address."""
    directory.mkdir(exist_ok=True)
    new = ("-newkey", "rsa:2048", "-nodes")
    _openssl(
        directory,
        *("req", "-x509", *new, "-subj", "/CN=ca", "-days", "2", "-keyout", "ca.key"),
        *("-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE"),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    _openssl(
        directory, "req", *new, "-subj", "/CN=dc1", "-keyout", "key.pem", "-out", "request.pem"
    )
    (directory / "extensions").write_text(
        f"subjectAltName=IP:{address}\nkeyUsage=digitalSignature,keyEncipherment\n"
        "authorityKeyIdentifier=keyid\n"
    )
    _openssl(
        directory,
        *("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-days", "2", "-extfile", "extensions", "-out", "cert.pem"),
    )
    (directory / "key.pem").chmod(0o600)


def free_address() -> str:
    """Return a loopback address at which nobody listens for LDAP."""
    for _ in range(200):
        address = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(2, 250)}"
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((address, LDAPS))
            except OSError:
                continue
            return address
    raise RuntimeError("no loopback address is free for LDAP")


class SambaServer:
    """One running (or stopped) domain controller with a domain of its own; use `start` to make one."""

    def __init__(self, binary: Path, directory: Path) -> None:
        self.directory = directory
        self.address = free_address()
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, shared: Path) -> Self:
        """Start a controller of a new domain, made once below `shared`; returns when it answers."""
        binary = require_samba()
        directory = Path(tempfile.mkdtemp(prefix="mcad-"))
        server = cls(binary, directory)
        try:
            template = _template(shared)
            shutil.copytree(template, server._domain, symlinks=True)
            settings = server.settings
            settings.write_text(settings.read_text().replace(str(template), str(server._domain)))
            make_certificates(server.certificates, server.address)
            server.resume()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def _domain(self) -> Path:
        return self.directory / "domain"

    @property
    def settings(self) -> Path:
        """Its smb.conf, for samba-tool."""
        return self._domain / "etc" / "smb.conf"

    @property
    def certificates(self) -> Path:
        """The directory of its certificate, and of the authority's: ca.pem."""
        return self.directory / "tls"

    def resume(self) -> None:
        """Start the stopped server again, at the same address."""
        run = self.directory / "run"
        run.mkdir(exist_ok=True)
        options = {
            # With the mask it needs no interface of its own.
            "interfaces": f"{self.address}/8",
            "bind interfaces only": "yes",
            "server services": "ldap",
            # A password that was replaced would be taken for an hour yet, as by Windows.
            "old password allowed period": "0",
            "pid directory": run,
            "ncalrpc dir": run / "ncalrpc",
            "tls certfile": self.certificates / "cert.pem",
            "tls keyfile": self.certificates / "key.pem",
            "tls cafile": self.certificates / "ca.pem",
        }
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._binary, "--foreground", "--no-process-group", "-M", "single"),
                    *("-s", self.settings, "--debug-stdout"),
                    *(f"--option={name}={value}" for name, value in options.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SambaFailed((self.directory / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server; its domain stays."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Let the server answer nothing until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove all it kept."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextlib.contextmanager
    def connected(self, user: str = ADMINISTRATOR, password: str = PASSWORD) -> Iterator[Any]:
        """A connection that is bound where the login was right; its `bound` says so."""
        import ldap3

        from mission_control_tui.provisioning.connectors.ad.session import CheckedTls

        trusted = ssl.create_default_context(cafile=str(self.certificates / "ca.pem"))
        where = {"use_ssl": True, "tls": CheckedTls(trusted), "get_info": ldap3.NONE}
        connection = ldap3.Connection(
            ldap3.Server(self.address, LDAPS, **where),
            user,
            password,
            auto_referrals=False,
            check_names=False,
            receive_timeout=30,
        )
        try:
            connection.bind()
            yield connection
        finally:
            connection.unbind()
            if connection.socket is not None:
                connection.socket.close()

    def can_log_in(self, user: str, password: str) -> bool:
        """Whether somebody can log in by UPN, distinguished name or DOMAIN\\name."""
        with self.connected(user, password) as connection:
            if not connection.bound and connection.result["result"] != 49:
                raise SambaFailed(str(connection.result))
            return bool(connection.bound)

    def add(self, dn: str, classes: Sequence[str], **attributes: object) -> None:
        """Make an entry past the connector."""
        with self.connected() as connection:
            connection.add(dn, list(classes), attributes)
            assert connection.result["result"] == 0, connection.result

    def modify(self, dn: str, **values: object) -> None:
        """Set attributes past the connector; lists are all values, an empty one none."""
        changes = {
            name: [("MODIFY_REPLACE", value if isinstance(value, list) else [value])]
            for name, value in values.items()
        }
        with self.connected() as connection:
            connection.modify(dn, changes)
            assert connection.result["result"] == 0, connection.result

    def find(self, condition: str, *attributes: str, base: str = BASE) -> list[Mapping[str, Any]]:
        """The entries that fit: their attributes as bytes, and their name as `dn`."""
        with self.connected() as connection:
            connection.search(base, condition, attributes=list(attributes) or ["*"])
            return [
                {"dn": row["dn"], **row["raw_attributes"]}
                for row in connection.response or ()
                if row["type"] == "searchResEntry"
            ]

    def user(self, name: str) -> Mapping[str, Any] | None:
        """The entry with this sAMAccountName."""
        return next(iter(self.find(f"(sAMAccountName={name})", "*", "memberOf")), None)

    def tool(self, *arguments: str) -> str:
        """Run samba-tool on the domain; returns what it says."""
        ran = subprocess.run(
            ["samba-tool", *arguments, "-s", str(self.settings)],
            check=True,
            capture_output=True,
            text=True,
        )
        return ran.stdout

    def _answers(self) -> bool:
        from ldap3.core.exceptions import LDAPException

        try:
            with socket.create_connection((self.address, LDAPS), 1):
                pass
            return self.can_log_in(ADMINISTRATOR, PASSWORD)
        except (OSError, LDAPException, SambaFailed):
            return False


def _template(shared: Path) -> Path:
    """Return the directory of a domain that no server uses, made by whoever asks first."""
    template = shared / "samba-domain"
    with FileLock(shared / "samba-domain.lock"):
        if not (template / "made").exists():
            shutil.rmtree(template, ignore_errors=True)
            ran = subprocess.run(
                [
                    *("samba-tool", "domain", "provision", f"--targetdir={template}"),
                    *("--realm=CORP.EXAMPLE.TEST", "--domain=CORP", "--server-role=dc"),
                    *("--dns-backend=NONE", f"--adminpass={PASSWORD}", "--host-name=dc1"),
                    *("--host-ip=127.0.0.1", "--option=bind interfaces only=yes"),
                ],
                check=False,
                capture_output=True,
                text=True,
            )
            if ran.returncode:
                raise SambaFailed((ran.stdout + ran.stderr)[-2000:])
            (template / "made").touch()
    return template


def shared_directory(factory: pytest.TempPathFactory) -> Path:
    """Return a directory that all workers of a run have."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
