"""Make the isolated environment that ./run and ./run-tests use; called by environment.sh, standard library only.

    environment.py check LEVEL VENV        exit status 0 when VENV is complete for LEVEL
    environment.py make LEVEL VENV CALLER  completes it, with progress on standard error

LEVEL is `console` (what the product needs) or `tests` (that, tests and linters). The environment holds the
versions of constraints.txt and the clone itself, editable. `mission-control.json` in it, written last, says what it
was made from; `unfinished`, removed last, that somebody was interrupted: such an environment is made afresh.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("pyproject.toml", "constraints.txt", "mission_control_tui/__init__.py")
EXTRAS = {"console": "[pdf,xlsx]", "tests": "[dev]"}
WANTED_BY = {"console": "the console needs", "tests": "console, tests and linters need"}
MEGABYTES = {"console": 250, "tests": 450}
STAMP = "mission-control.json"
UNFINISHED = "unfinished"
LOG = "setup.log"

_CLEARED = ("USER", "TARGET", "PREFIX", "ROOT", "CONSTRAINT", "BUILD_CONSTRAINT", "REQUIREMENT")
_DIAGNOSES: tuple[tuple[str, str, str], ...] = (
    (
        r"No space left on device|Errno 28",
        "The disk is full.",
        "Free some space (about {megabytes} MB here, as much again in {temporary}) and call {caller} again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "The package index's certificate cannot be verified.",
        "Install the authorities with: {certificates}   or name a file of them: PIP_CERT=/path/ca.pem {caller}",
    ),
    (
        (
            r"Failed to establish a new connection|Temporary failure in name resolution|Connection refused"
            r"|Name or service not known|nodename nor servname|Network is unreachable|No route to host"
            r"|Connect(ion)?( ?timed out|TimeoutError)|Read timed out|ReadTimeoutError|ProxyError"
            r"|Connection reset|Connection aborted|RemoteDisconnected|NewConnectionError"
        ),
        "No network: the package index cannot be reached.",
        (
            "Connect this machine, or name its proxy or mirror, and call again:\n"
            "  HTTPS_PROXY=http://PROXY:PORT {caller}\n"
            "  PIP_INDEX_URL=https://MIRROR/simple {caller}"
        ),
    ),
    (
        (
            r"Python\.h: No such file|command '.*(gcc|cc|clang).*' failed|error: Microsoft|Failed building wheel"
            r"|unable to execute '.*(gcc|cc)'"
        ),
        "A package has no ready-made build for this machine and could not be compiled.",
        "Install a compiler with: {compiler}",
    ),
    (
        r"No matching distribution found|Could not find a version|ResolutionImpossible",
        "The package index does not have what constraints.txt wants for this Python, or cannot be reached.",
        (
            "Use Python 3.11, 3.12 or 3.13, or an index that has all of PyPI:\n"
            "  PYTHON=/path/to/python3.12 {caller}\n"
            "  PIP_INDEX_URL=https://MIRROR/simple {caller}"
        ),
    ),
    (
        r"Permission denied|Errno 13",
        "A file may not be written.",
        "Make {venv} writable, or use another directory: MC_VENV=$HOME/.mission-control-venv {caller}",
    ),
)


class SetupFailed(Exception):
    """What went wrong, and on further lines what to do about it."""


def main(arguments: list[str]) -> int:
    """Do what the module's docstring says; returns the exit status."""
    verb, level, venv = arguments[0], arguments[1], Path(arguments[2])
    if verb == "check":
        return 0 if complete(venv, level, same_python=True) else 1
    caller = arguments[3]
    try:
        make(venv, level, caller)
    except KeyboardInterrupt:
        say(f"\nInterrupted. Calling {caller} again starts this over.")
        return 130
    except SetupFailed as error:
        say(str(error))
        return 1
    except OSError as error:
        said = f"{error.strerror}: {error.filename or venv}"
        say(
            diagnose(
                os.strerror(errno.ENOSPC) if error.errno == errno.ENOSPC else said,
                venv,
                level,
                caller,
            )
            or said
        )
        return 1
    return 0


def complete(venv: Path, level: str, *, same_python: bool = False) -> bool:
    """Whether `venv` was finished from the present inputs for at least `level` (and by this Python)."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if (venv / UNFINISHED).exists() or not (venv / "bin" / "mission-control").exists():
        return False
    if same_python and stamp["python"] != python_version():
        return False
    return stamp["made_from"] == fingerprint(venv) and stamp["level"] in ("tests", level)


def make(venv: Path, level: str, caller: str) -> None:
    """Complete `venv` for `level`, alone: a second caller waits and finds it done."""
    with locked(ROOT):
        named = bool(os.environ.get("PYTHON"))
        if complete(venv, level, same_python=named) and starts(venv):
            return
        check_not_foreign(venv, caller)
        began = time.monotonic()
        if usable(venv, named=named):
            say(f"[1/2] Using the isolated environment in {venv}")
        else:
            check_python(caller)
            check_disk(venv, level, caller)
            say(f"[1/2] Making an isolated environment in {venv} (Python {python_version()})")
            create(venv, level, caller)
        (venv / UNFINISHED).touch()
        (venv / STAMP).unlink(missing_ok=True)
        say(f"[2/2] Installing what {WANTED_BY[level]}, in the versions of constraints.txt")
        install = ("install", "-c", str(ROOT / "constraints.txt"))
        pip(venv, level, caller, *install, "hatchling", "editables")
        pip(venv, level, caller, *install, "--no-build-isolation", "-e", f"{ROOT}{EXTRAS[level]}")
        stamp = {"made_from": fingerprint(venv), "level": level, "python": installed_for(venv)}
        (venv / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        (venv / UNFINISHED).unlink()
        say(f"Ready after {time.monotonic() - began:.0f} s.")


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the one lock on `directory`, saying so when somebody else has it."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work in this clone; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def fingerprint(venv: Path) -> str:
    """What the environment depends on: the inputs' contents and both places, as a hash."""
    digest = hashlib.sha256(f"{ROOT}\0{venv}\0".encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()


def python_version() -> str:
    """This interpreter's version, "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def installed_for(venv: Path) -> str:
    """The version of the Python that the environment's packages were installed for, "" where there is none."""
    found = [path.name.removeprefix("python") for path in (venv / "lib").glob("python3.*")]
    return found[0] if len(found) == 1 else ""


def starts(venv: Path) -> bool:
    """Whether the environment's interpreter runs and is the Python that its packages were installed for."""
    with contextlib.suppress(OSError):
        shown = subprocess.run(
            [
                venv / "bin" / "python",
                "-I",
                "-c",
                "import pip, sys; print('%d.%d' % sys.version_info[:2])",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return shown.returncode == 0 and shown.stdout.strip() == installed_for(venv)
    return False


def usable(venv: Path, *, named: bool) -> bool:
    """Whether packages can be installed into `venv` as it is, instead of making it afresh."""
    if (venv / UNFINISHED).exists() or not starts(venv):
        return False
    return not named or installed_for(venv) == python_version()


def check_python(caller: str) -> None:
    """Raise SetupFailed naming the first module that this Python lacks and how to get it."""
    debian = shutil.which("apt-get") is not None
    default = Path(sys.executable).resolve() == Path("/usr/bin/python3").resolve()
    package = "python3-venv" if default else f"python{python_version()}-venv"
    remedies = {
        "ensurepip": apt_line(package)
        if debian
        else "your system's package for ensurepip or python3-venv",
        "venv": apt_line(package) if debian else "your system's package for python3-venv",
        "ssl": "a Python that was built with OpenSSL",
        "sqlite3": "a Python that was built with SQLite",
    }
    for module, remedy in remedies.items():
        try:
            __import__(module)
        except ImportError as error:
            raise SetupFailed(
                f"{sys.executable} (Python {platform.python_version()}) has no module {module}.\n"
                f"Install it with: {remedy}\n"
                f"or use another Python: PYTHON=/path/to/python3 {caller}"
            ) from error


def check_not_foreign(venv: Path, caller: str) -> None:
    """Raise SetupFailed where `venv` is something that this script did not make."""
    if not venv.exists() or (venv / STAMP).exists() or (venv / UNFINISHED).exists():
        return
    if venv.is_dir() and not any(venv.iterdir()):
        return
    raise SetupFailed(
        f"{venv} was not made by {caller} and is left alone.\n"
        f"Move it away, or use another directory: MC_VENV=$HOME/.mission-control-venv {caller}"
    )


def check_disk(venv: Path, level: str, caller: str) -> None:
    """Raise SetupFailed where a new environment would not fit."""
    free = shutil.disk_usage(venv.parent).free // 1_000_000
    if free < MEGABYTES[level]:
        raise SetupFailed(
            f"The disk is full: {free} MB are free at {venv.parent}, about {MEGABYTES[level]} MB are needed.\n"
            f"Free some space, or use another disk: MC_VENV=/elsewhere/mission-control {caller}"
        )


def create(venv: Path, level: str, caller: str) -> None:
    """Make an empty environment with pip, where there is none or a broken one of ours."""
    for leftover in venv.parent.glob(f"{venv.name}-discarded-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if venv.exists():
        discarded = venv.with_name(f"{venv.name}-discarded-{os.getpid()}")
        venv.rename(discarded)
        shutil.rmtree(discarded, ignore_errors=True)
    venv.mkdir(parents=True)
    (venv / UNFINISHED).touch()
    done = subprocess.run(
        [sys.executable, "-I", "-m", "venv", str(venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SetupFailed(
            diagnose(done.stdout, venv, level, caller)
            or f"The environment could not be made:\n{done.stdout.strip()}"
        )


def pip(venv: Path, level: str, caller: str, *arguments: str) -> None:
    """Run the environment's pip with progress, whatever the user's own pip settings redirect."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith("PIP_") and name.removeprefix("PIP_") in _CLEARED)
    }
    environment.setdefault("PIP_RETRIES", "3")
    environment |= {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment |= {"PYTHONUNBUFFERED": "1", "LC_ALL": "C"}
    command = [str(venv / "bin" / "python"), "-I", "-m", "pip", *arguments]
    progress = Progress()
    with (
        (venv / LOG).open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [*command, "--no-color", "--progress-bar", "off"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            progress.saw(line)
    progress.end()
    if process.returncode:
        said = (venv / LOG).read_text(encoding="utf-8")
        tail = "\n".join(said.splitlines()[-12:])
        raise SetupFailed(
            diagnose(said, venv, level, caller)
            or f"pip failed; all that it said is in {venv / LOG}. The end of it:\n{tail}"
        )


def diagnose(said: str, venv: Path, level: str, caller: str) -> str:
    """What `said` means to a person and the line that mends it, or "" where it is not known."""
    for pattern, what, remedy in _DIAGNOSES:
        if re.search(pattern, said):
            filled = remedy.format(
                caller=caller,
                venv=venv,
                megabytes=MEGABYTES[level],
                temporary=os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
                certificates=apt_line("ca-certificates"),
                compiler=apt_line("build-essential python3-dev libffi-dev"),
            )
            return f"{what}\n{filled}"
    return ""


def apt_line(packages: str) -> str:
    """Debian's line that installs `packages`."""
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install -y {packages}"


def say(text: str) -> None:
    """Tell the person, on standard error."""
    print(text, file=sys.stderr, flush=True)


class Progress:
    """Turns pip's lines into one line that is rewritten, or into a few lines where there is no terminal."""

    def __init__(self) -> None:
        self._rewrites = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._found = 0

    def saw(self, line: str) -> None:
        """Show what one line of pip's output means for the person who waits."""
        if match := re.match(r"\s*Collecting ([\w.-]+)", line):
            self._found += 1
            if self._rewrites:
                self._rewrite(f"      {self._found} packages, {match[1]}")
            elif self._found % 20 == 0:
                say(f"      {self._found} packages")
        elif match := re.match(r"\s*Installing collected packages: (.*)", line):
            text = f"      unpacking {match[1].count(',') + 1} packages"
            if self._rewrites:
                self._rewrite(text)
            else:
                say(text)

    def end(self) -> None:
        """Leave the terminal at the start of an empty line."""
        if self._rewrites:
            self._rewrite("")

    def _rewrite(self, text: str) -> None:
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
