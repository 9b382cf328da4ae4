"""A program behind real multiplexers and real lines, as its operator sees it: tmux, GNU screen, mosh, sshd.

Each runs on files, sockets and loopback ports of its own, and ends with its test.
"""

from __future__ import annotations

import grp
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from getpass import getuser
from pathlib import Path

import psutil
import pytest

from tests.support import LOOPBACK, free_port, require
from tests.terminal.pty import Terminal

SIZE = (100, 30)
INSTALL = "apt-get install -y tmux screen mosh openssh-server openssh-client"

Line = Callable[[Sequence[str], Path], AbstractContextManager[Terminal]]
"""Opens a terminal with a command at the far end; the directory is its own."""


@contextmanager
def tmux(command: Sequence[str], directory: Path, *options: str) -> Iterator[Terminal]:
    """In tmux as it is shipped, but for `options` of the server."""
    program = str(require("tmux", INSTALL))
    settings = directory / "tmux.conf"
    settings.write_text("".join(f"set -sq {option}\n" for option in options))
    server = [program, "-f", str(settings), "-S", str(directory / "tmux")]
    try:
        with Terminal([*server, "new-session", shlex.join(command)], size=SIZE) as terminal:
            yield terminal
    finally:
        subprocess.run([*server, "kill-server"], capture_output=True, check=False)


@contextmanager
def screen(command: Sequence[str], directory: Path) -> Iterator[Terminal]:
    """In GNU screen as it is shipped, without its greeting."""
    program = str(require("screen", INSTALL))
    settings = directory / "screenrc"
    settings.write_text("startup_message off\n")
    sockets = directory / "screen"
    sockets.mkdir(mode=0o700)
    env = {"SCREENDIR": str(sockets)}
    base = [program, "-U", "-c", str(settings), "-S", "corpus"]
    try:
        with Terminal([*base, *command], size=SIZE, env=env) as terminal:
            yield terminal
    finally:
        quits = [*base, "-X", "quit"]
        subprocess.run(quits, env={**os.environ, **env}, capture_output=True, check=False)


@contextmanager
def mosh(command: Sequence[str], directory: Path) -> Iterator[Terminal]:
    """Over mosh on loopback, without the echo that it guesses."""
    server, client = require("mosh-server", INSTALL), require("mosh-client", INSTALL)
    port = str(free_port())
    told = subprocess.run(
        [str(server), "new", "-i", LOOPBACK, "-p", port, "--", *command],
        env={**os.environ, "LANG": "C.UTF-8", "MOSH_SERVER_NETWORK_TMOUT": "60"},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    key = re.search(rf"MOSH CONNECT {port} (\S+)", told.stdout)
    detached = re.search(r"detached, pid = (\d+)", told.stderr)
    assert key, told
    assert detached, told
    env = {"MOSH_KEY": key[1], "MOSH_PREDICTION_DISPLAY": "never"}
    try:
        with Terminal([str(client), LOOPBACK, port], size=SIZE, env=env) as terminal:
            yield terminal
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(detached[1]), signal.SIGTERM)


@contextmanager
def ssh(command: Sequence[str], directory: Path, *, is_forced: bool = False) -> Iterator[Terminal]:
    """`ssh -t host command` to an sshd of its own; where it `is_forced`, the command is the server's ForceCommand."""
    server, client = require("sshd", INSTALL), require("ssh", INSTALL)
    if not _may_hand_out_terminals():
        pytest.skip(
            "the group of new terminals is not tty here, and only root's sshd may change it"
        )
    keygen = str(require("ssh-keygen", INSTALL))
    for name in ("host", "user"):
        new = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(new, check=True)
    port = str(free_port())
    wanted = shlex.join(command)
    settings = directory / "sshd_config"
    settings.write_text(
        f"Port {port}\nListenAddress {LOOPBACK}\nHostKey {directory}/host\n"
        f"AuthorizedKeysFile {directory}/user.pub\nPidFile none\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPrintMotd no\nPrintLastLog no\n"
        + (f"ForceCommand {wanted}\n" if is_forced else "")
    )
    if os.getuid() == 0:
        # Its account for the work before the log-in may look nowhere but there.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = (directory / "sshd.log").open("wb")
    daemon = subprocess.Popen([str(server), "-D", "-e", "-f", str(settings)], stderr=log)
    try:
        _wait_for_port(daemon, int(port), directory / "sshd.log")
        trusted = [*("-o", "StrictHostKeyChecking=no"), *("-o", "UserKnownHostsFile=/dev/null")]
        calls = [
            *(str(client), "-F", "none", "-q", "-tt", "-p", port, "-i", f"{directory}/user"),
            *(*trusted, "-o", "BatchMode=yes", "-o", "EscapeChar=none", f"{getuser()}@{LOOPBACK}"),
        ]
        asked = [] if is_forced else [wanted]
        with Terminal([*calls, *asked], size=SIZE) as terminal:
            yield terminal
    finally:
        started = psutil.Process(daemon.pid).children(recursive=True)
        daemon.terminate()
        daemon.wait(10)
        for process in started:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        log.close()


def _may_hand_out_terminals() -> bool:
    """Whether an sshd of ours can give somebody a terminal: it wants the group tty for it."""
    if os.getuid() == 0:
        return True
    master, slave = os.openpty()
    try:
        return os.fstat(slave).st_gid == grp.getgrnam("tty").gr_gid
    finally:
        os.close(master)
        os.close(slave)


def _wait_for_port(daemon: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while daemon.poll() is None:
        if f"port {port}" in log.read_text():
            return
    raise AssertionError(log.read_text())


LINES: dict[str, Line] = {
    "tmux": tmux,
    "tmux-csi-u": lambda command, directory: tmux(
        command, directory, "extended-keys always", "extended-keys-format csi-u"
    ),
    "tmux-xterm": lambda command, directory: tmux(
        command, directory, "extended-keys always", "extended-keys-format xterm"
    ),
    "screen": screen,
    "mosh": mosh,
    "ssh": ssh,
    "forced": partial(ssh, is_forced=True),
}
