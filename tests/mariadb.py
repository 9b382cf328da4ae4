"""A throw-away MariaDB of the tests' own: started on loopback, stopped by its pid, nothing left behind."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from tests.support import LOOPBACK, free_port, require

INSTALL_LINE = "apt-get install -y mariadb-server"
PASSWORD = "The-Password-Of-The-Tests-7"

_START_SECONDS = 60.0
_CARELESS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=16M",
    "--innodb-use-native-aio=0",  # the machine has few of them for several servers
)


class MariaDBFailed(RuntimeError):
    """The server did not start; the message ends with its log."""


class MariaDBServer:
    """One running (or stopped) server with databases of its own; use `start` to make one."""

    user = "provisioner"

    def __init__(self, binary: Path, directory: Path) -> None:
        self.directory = directory
        self.host, self.port = LOOPBACK, free_port()
        self.options: list[str] = []
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, *options: str) -> Self:
        """Start a server; returns when it accepts connections. Skips the test (or fails it) where it is missing."""
        install, binary = (
            require("mariadb-install-db", INSTALL_LINE),
            require("mariadbd", INSTALL_LINE),
        )
        server = cls(binary, Path(tempfile.mkdtemp(prefix="mcmaria-")))
        server.options = list(options)
        try:
            installed = subprocess.run(
                [
                    install,
                    "--no-defaults",
                    f"--datadir={server._data}",
                    f"--user={getpass.getuser()}",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    f"--tmpdir={server._own_temporary}",
                    *_CARELESS,
                ],
                check=False,
                capture_output=True,
                text=True,
            )
            if installed.returncode:
                raise MariaDBFailed((installed.stdout + installed.stderr)[-2000:])
            server.resume()
            server.execute(f"CREATE USER provisioner@'%' IDENTIFIED BY '{PASSWORD}'")
            server.execute("GRANT ALL PRIVILEGES ON *.* TO provisioner@'%' WITH GRANT OPTION")
        except BaseException:
            server.close()
            raise
        return server

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _own_temporary(self) -> Path:
        """Its directory for temporary tables, which several servers in one would take from each other."""
        place = self.directory / "tmp"
        place.mkdir(exist_ok=True)
        return place

    @property
    def socket(self) -> str:
        """The server's unix socket."""
        return str(self.directory / "socket")

    def resume(self) -> None:
        """Start the stopped server again, on the same port."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._binary,
                    "--no-defaults",
                    f"--datadir={self._data}",
                    f"--user={getpass.getuser()}",
                    f"--bind-address={LOOPBACK}",
                    f"--port={self.port}",
                    f"--socket={self.socket}",
                    f"--pid-file={self.directory / 'pid'}",
                    f"--tmpdir={self._own_temporary}",
                    *_CARELESS,
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise MariaDBFailed((self.directory / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.03)

    def stop(self) -> None:
        """Stop the server; its databases stay."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop the server and remove all it kept."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def connect(self, user: str, password: str, **more: Any) -> Any:
        """Log in as somebody over TCP; raises pymysql's errors."""
        import pymysql

        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=user,
            password=password.encode(),  # a text would be sent as Latin-1
            connect_timeout=10,
            **more,
        )

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement as the server's root; returns its rows."""
        import pymysql

        connection = pymysql.connect(unix_socket=self.socket, user="root", autocommit=True)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return [*cursor.fetchall()]
        finally:
            connection.close()

    def _answers(self) -> bool:
        import pymysql

        try:
            # The client does not close a socket that was refused.
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.connect(self.socket)
            self.execute("SELECT 1")
        except (pymysql.MySQLError, OSError):
            return False
        return True
