"""A throw-away nginx of the tests' own: started on loopback, stopped by its pid, nothing left behind."""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support import LOOPBACK, free_port, require

INSTALL_LINE = "apt-get install -y --no-install-recommends nginx-light"
CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log notice;
events {{}}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen {address} default_server;
        return 404;
    }}
    include {directory}/sites/*.conf;
}}
"""
RELOAD = """#!/bin/sh
# Returns when the old worker is gone, so that a test asks none that still ends.
set -e
old=$(cat /proc/$(cat {directory}/nginx.pid)/task/*/children)
{nginx} -s reload
for pid in $old; do
    while kill -0 $pid 2>/dev/null; do sleep 0.01; done
done
"""
_START_SECONDS = 15.0


@dataclass
class NginxServer:
    """A server with a directory for sites, and one below which their files lie."""

    binary: Path
    directory: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls) -> Self:
        """Start a server; returns when it answers. Skips the test (or fails it) where it is not installed."""
        server = cls(require("nginx", INSTALL_LINE), Path(tempfile.mkdtemp(prefix="mcweb-")))
        server.directory.chmod(0o755)
        for name in ("sites", "www"):
            (server.directory / name).mkdir()
        file = server.directory / "nginx.conf"
        # Workers of a master that is root would be somebody who may not look into a test's files.
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        file.write_text(
            CONFIGURATION.format(directory=server.directory, address=server.address, user=user)
        )
        reload = server.directory / "reload"
        reload.write_text(RELOAD.format(directory=server.directory, nginx=" ".join(server.command)))
        reload.chmod(0o755)
        try:
            server.resume()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def command(self) -> list[str]:
        """The program with its configuration."""
        directory = self.directory
        return [str(self.binary), "-p", str(directory), "-c", str(directory / "nginx.conf")]

    @property
    def sites(self) -> Path:
        """The directory of the sites' files."""
        return self.directory / "sites"

    @property
    def roots(self) -> Path:
        """The directory below which the sites' own files lie."""
        return self.directory / "www"

    def resume(self) -> None:
        """Start the stopped server again, on the same port."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.get("nobody.example")
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.directory / "log").read_text()[-2000:]) from None
                time.sleep(0.02)
            else:
                return

    def reload(self) -> None:
        """Have it read its files again, as whoever made one by hand does."""
        subprocess.run([self.directory / "reload"], check=True, timeout=20, capture_output=True)

    def stop(self) -> None:
        """Stop the server; its sites stay."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop the server and remove all it kept."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def get(self, domain: str, path: str = "/") -> tuple[int, str]:
        """The status and the text that a browser gets which asks for a domain."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": domain})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()
