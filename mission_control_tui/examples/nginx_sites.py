#!/usr/bin/env python3
"""Web sites of nginx for the connector `exec` of Mission Control: needs nothing but Python 3.9 and nginx.

Each site is a file NAME.conf in a directory that nginx includes. It begins with comments that hold what Mission Control
has to find again; the rest is made from a template. What nginx would read is tested in a copy of its configuration
before it is moved into its place. docs/connectors.md says how it is set up.
"""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import glob
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TEMPLATE = """server {
    {listen}
    server_name {domain};
    root {root};
    index index.html;
}
"""
SUSPENDED = """server {
    {listen}
    server_name {domain};
    return 503;
}
"""
WELCOME = "<!doctype html><title>{domain}</title><p>{domain} is being built.\n"
HEAD = "# mission-control "
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
COMMENT = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'#;{}][^\s;]*)|#[^\n]*""")
NAMES = re.compile(
    r"""(?:^|[\s;{}])server_name\s+((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^;"'])+);"""
)
WORD = re.compile(r""""((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+)""")
ROOT = re.compile(r"""(?:^|[\s;{}])root\s+(?:"([^"\\]*)"|'([^'\\]*)'|([^\s;"']+))\s*;""")
INCLUDE = re.compile(r"""((?:^|[;{}])\s*include\s+)(["']?)([^;"']+?)\2(\s*;)""", re.MULTILINE)
MAIN = re.compile(r"configuration file (\S.*?) (?:syntax is ok|test is successful|test failed)")
CONFLICTING = re.compile(r'conflicting server name "([^"]+)"')
NOBODYS = "nobody.mission-control.invalid"  # who answers to it answers to everything
LEVEL = re.compile(r"[a-z0-9-]{1,64}")
WIDTH = 1000  # of a comment: nginx takes no line of 4096 bytes
PAGE = 200
COUNTED_FILES = 20_000
SECONDS = 20
DECLARES = {
    "fence": "conditional",
    "capabilities": ["levels", "suspend", "list", "list_unmarked", "owner_mark", "adopt"],
    "subjects": ["user"],
    "options": ["domain"],
    "attributes": ["domain"],
    "usage": ["storage"],
    "parts": [{"name": "site"}],
}


class RefusedError(Exception):
    """What cannot be done: the fields of an error of the messages."""

    def __init__(self, kind: str, said: str, remedy: str = "", field: str = "") -> None:
        super().__init__(said)
        self.told = {"kind": kind, "said": said, "remedy": remedy, "field": field}


class Sites:
    """The sites of one directory; `configuration` is the table of that name in the settings."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        found = dict(configuration)
        self.directory = Path(os.path.realpath(found.pop("directory", "/etc/nginx/conf.d")))
        self.roots = Path(found.pop("roots", "/srv/www"))
        self.listen = [f"listen {where};" for where in found.pop("listen", ["80"])]
        template = found.pop("template", "")
        self.template = Path(template).read_text() if template else TEMPLATE
        self.address = found.pop("address", "127.0.0.1:80")
        self.nginx = found.pop("nginx", ["nginx"])
        self.reload = found.pop("reload", [*self.nginx, "-s", "reload"])
        self.main: Path | None = None
        if found:
            raise RefusedError("config", f"configuration has no {', '.join(sorted(found))}")

    def check(self) -> dict[str, Any]:
        """Tell nginx's version once it runs, and its configuration and our rights are as they should be."""
        self.must_answer()
        refused = self.refused()
        if refused:
            raise RefusedError("config", f"nginx refuses its configuration: {refused}")
        lacking = [str(at) for at in (self.directory, self.roots) if not os.access(at, os.W_OK)]
        if lacking:
            raise RefusedError("config", f"{' and '.join(lacking)} cannot be written")
        with self.locked():
            self.must_try("")
        _, said = self.run([*self.nginx, "-v"])
        return {"version": f"nginx {said.rpartition('/')[2].strip()}"}

    def observe(self, desired: dict[str, Any]) -> dict[str, Any]:
        """Tell what there is of a site."""
        self.must_answer()
        name = desired["name"]
        if not NAME.fullmatch(name):
            return {"exists": False}
        text, unloaded = self.read(name)
        seen = {"seen": seen_of(text, unloaded)}
        if text is None and unloaded is None:
            return {"exists": False, **seen}
        kept, body = taken_apart(unloaded if text is None else text)
        if kept is None:
            return {**theirs(body, desired, self.file(name)), **seen}
        differs = []
        if text is not None and body != self.body(name, kept):
            differs = [{"what": "configuration", "before": "changed by hand", "after": "as made"}]
        return {
            "exists": True,
            "state": kept["state"],
            "note": kept["note"],
            "settings": {"domain": kept["asked"]},
            "attributes": {"domain": kept["of_user"]},
            "complete": unloaded is None,
            "differs": differs,
            "usage": used(Path(kept["root"])),
            "kept": ["its files"],
            **seen,
        }

    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make a site what it should be, unless it is other than it was seen."""
        desired, name = request["desired"], request["desired"]["name"]
        self.must_answer()
        if not NAME.fullmatch(name):
            raise RefusedError("invalid", f"{name} cannot be the name of a file")
        with self.locked():
            text, unloaded = self.read(name)
            if seen_of(text, unloaded) != request.get("seen", ""):
                raise RefusedError("stale", f"{name} was changed meanwhile")
            before, body = taken_apart(text if text is not None else unloaded)
            if request["action"] == "delete":
                self.remove(name, text, before)
            else:
                self.write(name, text, unloaded, self.wanted(name, desired, before, body))
        return {"external_id": name}

    def wanted(
        self, name: str, desired: dict[str, Any], before: dict[str, Any] | None, body: str
    ) -> dict[str, Any]:
        """Return what the first line of a site is to keep."""
        asked = desired["settings"].get("domain") or ""
        of_user = desired["attributes"].get("domain") or ""
        domain = ascii_of((asked or of_user).lower())
        if not DOMAIN.fullmatch(domain):
            raise RefusedError("invalid", f"{domain!r} is no domain", "Correct it.", "domain")
        self.must_be_free(name, domain)
        kept = {
            "note": desired["note"],
            "state": desired["state"],
            "asked": asked,
            "of_user": of_user,
            "domain": domain,
            "level": desired["level"] if LEVEL.fullmatch(desired["level"]) else "",
            "root": str(self.roots / name),
        }
        if before is not None:
            kept["root"] = before["root"]
            kept["by_hand"] = by_hand(before)
            own, old = before.get("own"), before["domain"]
        else:
            own, old = body or None, next(iter(server_names(body)), "")
            if own is not None:
                kept["root"] = root_of(own) or kept["root"]
            kept["by_hand"] = own is not None or Path(kept["root"]).exists()
        if own is not None and old == domain:
            kept["own"] = own  # somebody wrote it by hand: it stays as it is
        return kept

    def body(self, name: str, kept: dict[str, Any]) -> str:
        """Return what nginx is told of a site."""
        suspended = kept["state"] == "suspended"
        if kept.get("own") is not None and not suspended:
            return str(kept["own"])
        text = SUSPENDED if suspended else self.template
        words = {"listen": "\n    ".join(self.listen), "name": name}
        words.update((key, kept[key]) for key in ("domain", "root", "level"))
        for key, value in words.items():
            text = text.replace("{" + key + "}", value)
        return text

    def write(
        self, name: str, text: str | None, unloaded: str | None, kept: dict[str, Any]
    ) -> None:
        """Write a site and have nginx take it; where nginx refuses it all is as before."""
        body = self.body(name, kept)
        told, end = json.dumps(kept), "\r\n" if "\r\n" in body else "\n"
        lines = [told[at : at + WIDTH] for at in range(0, len(told), WIDTH)]
        made = "".join(f"{HEAD}{line}{end}" for line in lines) + body
        self.must_be_taken(name, made, kept["domain"])
        file = self.file(name)
        put(self.marker(name), made, like=file)
        root = Path(kept["root"])
        if root.parent == self.roots and not root.exists():
            root.mkdir(mode=0o755)
            put(root / "index.html", WELCOME.replace("{domain}", kept["domain"]))
        put(file, made, like=file)
        try:
            self.load(name)
        except RefusedError:
            if self.refused():  # what others changed since it was tested does not go with it
                self.put_back(file, text)
                self.put_back(self.marker(name), unloaded)
            raise

    def remove(self, name: str, text: str | None, kept: dict[str, Any] | None) -> None:
        """Remove a site, its files with it in a directory of its own below `roots`, unless it was made by hand."""
        if text is not None:
            self.must_be_taken(name, None)
            put(self.marker(name), text, like=self.file(name))
            self.file(name).unlink()
        self.run(self.reload, must=True)
        root = Path(kept["root"]) if kept and not by_hand(kept) else None
        if root == self.roots / name and root.is_dir() and not root.is_symlink():
            shutil.rmtree(root)
        self.marker(name).unlink()

    def load(self, name: str) -> None:
        """Have nginx read its files; until then the site counts as half made."""
        self.run(self.reload, must=True)
        self.marker(name).unlink()

    def put_back(self, file: Path, text: str | None) -> None:
        """Make a file what it was."""
        if text is None:
            file.unlink()
        else:
            put(file, text, like=file)

    def must_be_taken(self, name: str, made: str | None, domain: str = "") -> None:
        """Refuse what nginx would not take as a site's file, None for no file, while the present one stays in force."""
        code, said = self.tried(name, made)
        if code:
            self.must_be_whole(name)
            self.must_try(name)
            raise RefusedError("invalid", f"nginx refuses it: {said}", "See the template.")
        is_new = domain and domain not in server_names(text_of(self.file(name)) or "")
        if is_new and domain in CONFLICTING.findall(said):
            said = f"{domain} is answered by another server of nginx already"
            raise RefusedError("conflict", said, "Choose another domain.", "domain")

    def must_try(self, name: str) -> None:
        """Refuse all work while nginx cannot test a copy of the configuration that it takes."""
        code, said = self.tried(name, text_of(self.file(name)))
        if code:
            remedy = f"Let the worker run {' '.join(self.trial())}."
            raise RefusedError("config", f"nginx cannot try its configuration: {said}", remedy)

    def must_be_whole(self, name: str) -> None:
        """Refuse all work while nginx refuses the files in force; one of ours that it never took is put away first."""
        refused, text = self.refused(), text_of(self.file(name))
        if refused and text is not None and text == text_of(self.marker(name)):
            if not self.tried(name, None)[0]:
                self.file(name).unlink()
            refused = self.refused()
        if refused:
            raise RefusedError("config", f"nginx refuses it: {refused}", "See the named file.")

    def tried(self, name: str, made: str | None) -> tuple[int, str]:
        """Return what nginx says of a copy of its configuration in which a site's file is `made`, or is not there."""
        changed = {self.file(name): made}
        self.clear_trial()
        self.copy_of(self.directory).mkdir(mode=0o700, parents=True)  # no link, also while empty
        self.copied(self.main_file(), changed)
        self.linked(self.main_file().parent, changed)
        try:
            return self.run(self.trial())
        finally:
            self.clear_trial()

    def copied(self, file: Path, changed: dict[Path, str | None]) -> None:
        """Copy a file of nginx, and all that it includes; files in `changed` are that instead, or left out."""
        text = changed[file] if file in changed else text_of(file)
        copy = self.copy_of(file)
        if text is None or copy.exists():
            return
        found: list[Path] = []

        def of_the_copy(include: re.Match[str]) -> str:
            path = os.path.join(self.main_file().parent, include[3].strip())  # noqa: PTH118
            where = Path(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH119, PTH120
            found.extend(Path(one) for one in glob.glob(str(where)))  # noqa: PTH207 - it is absolute
            found.extend(one for one in changed if fnmatch.fnmatch(str(one), str(where)))
            return f"{include[1]}{include[2]}{self.copy_of(where)}{include[2]}{include[4]}"

        text = INCLUDE.sub(of_the_copy, text)
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        put(copy, text, mode=0o600)
        for included in found:
            self.copied(included, changed)

    def linked(self, directory: Path, changed: dict[Path, str | None]) -> None:
        """Have the copy of a directory lead to what was not copied: certificates and the like, by paths of no root."""
        for entry in directory.iterdir():
            copy = self.copy_of(entry)
            if entry in changed or entry == self.copy_of(Path("/")):
                continue
            if not copy.exists():
                copy.symlink_to(entry)
            elif copy.is_dir() and not copy.is_symlink():
                self.linked(entry, changed)

    def copy_of(self, file: Path) -> Path:
        """Return where a file of nginx is in the copy."""
        return self.directory / ".mission-control-trial" / str(file).lstrip("/")

    def clear_trial(self) -> None:
        """Remove the copy, which somebody who was stopped may have left."""
        if self.copy_of(Path("/")).exists():
            shutil.rmtree(self.copy_of(Path("/")))

    def trial(self) -> list[str]:
        """Return the command that tests the copy."""
        return [*self.nginx, "-t", "-c", str(self.copy_of(self.main_file()))]

    def main_file(self) -> Path:
        """Return the file that nginx's configuration begins with."""
        if self.main is None:
            said = self.run([*self.nginx, "-t"])[1]
            found = MAIN.search(said)
            if found is None:
                raise RefusedError("config", f"nginx does not test its configuration: {said}")
            self.main = Path(os.path.realpath(found[1]))
        return self.main

    def list(self, cursor: str, marked_only: bool) -> dict[str, Any]:
        """Return a page of sites by name."""
        rows = []
        names = sorted(file.stem for file in self.directory.glob("*.conf"))
        names = [name for name in names if name > cursor and NAME.fullmatch(name)]
        for name in names[:PAGE]:
            kept, body = taken_apart(self.read(name)[0] or "")
            if kept is not None:
                rows.append({"name": name, "note": kept["note"], "state": kept["state"]})
            elif not marked_only and server_names(body):
                rows.append({"name": name, "state": "present"})
        return {"objects": rows, "cursor": names[PAGE - 1] if len(names) > PAGE else ""}

    def must_be_free(self, name: str, domain: str) -> None:
        """Refuse a domain that another file of the directory answers to."""
        for file in self.directory.glob("*.conf"):
            if file.stem == name:
                continue
            if any(answers(found, domain) for found in server_names(text_of(file) or "")):
                said = f"{domain} is answered by the site {file.stem} already"
                raise RefusedError("conflict", said, "Choose another domain.", "domain")

    def must_answer(self) -> None:
        """Refuse all work while nginx is not there to do it."""
        host, _, port = self.address.rpartition(":")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            said = f"address must be HOST:PORT with a port from 1 to 65535, not {self.address!r}"
            raise RefusedError("config", said, "Correct configuration.address.", "address")
        try:
            socket.create_connection((host.strip("[]"), int(port)), 5).close()
        except OSError as error:
            said = f"nginx does not answer at {self.address}: {error.strerror or error}"
            raise RefusedError("unreachable", said, "Start nginx; it goes on by itself.") from None

    def refused(self) -> str:
        """Return why nginx does not take its configuration, "" where it does."""
        code, said = self.run([*self.nginx, "-t"])
        return said if code else ""

    def run(self, command: Sequence[str], *, must: bool = False) -> tuple[int, str]:
        """Return the exit code and the words of a program. Raises RefusedError where it `must` end well."""
        try:
            done = subprocess.run(
                command,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise RefusedError("config", f"{command[0]} is not there", "Correct nginx.") from None
        except subprocess.TimeoutExpired:
            said = f"{' '.join(command)} does not end within {SECONDS} seconds"
            raise RefusedError("unreachable", said, "See nginx's log.") from None
        said = (done.stderr or done.stdout).strip()
        if must and done.returncode:
            raise RefusedError("unreachable", f"{' '.join(command)}: {said}", "See nginx's log.")
        return done.returncode, said

    def read(self, name: str) -> tuple[str | None, str | None]:
        """Return a site's file and what was to be loaded when somebody stopped, None for what is not there."""
        return text_of(self.file(name)), text_of(self.marker(name))

    def file(self, name: str) -> Path:
        """Return the site's file."""
        return self.directory / f"{name}.conf"

    def marker(self, name: str) -> Path:
        """Return the file that is there until nginx has loaded the site's."""
        return self.directory / f".{name}.unloaded"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time change the directory."""
        with (self.directory / ".mission-control.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def taken_apart(text: str | None) -> tuple[dict[str, Any] | None, str]:
    """Return what the first comments of a site keep, None where it is none of Mission Control's, and the rest."""
    rest, told = text or "", ""
    while rest.startswith(HEAD):
        line, _, rest = rest.partition("\n")
        told += line[len(HEAD) :].rstrip("\r")
    with contextlib.suppress(ValueError):
        return json.loads(told), rest
    return None, text or ""


def by_hand(kept: dict[str, Any]) -> bool:
    """Tell whether a site or its directory was there before: its files are nobody's to remove."""
    return bool(kept.get("by_hand", "own" in kept))


def theirs(body: str, desired: dict[str, Any], file: Path) -> dict[str, Any]:
    """Tell what there is of a site that was made by hand."""
    bare = without_comments(body)
    names = server_names(body)
    servers = len(re.findall(r"\bserver\s*\{", bare))
    asked = desired["settings"].get("domain") or ""
    wanted = ascii_of((asked or desired["attributes"].get("domain") or "").lower())
    unadoptable = "" if servers == 1 and names else "it is not one server with a name"
    if file.is_symlink():
        unadoptable = "it is a link to a file elsewhere"
    domain = names[0] if names else ""
    root = root_of(body)
    return {
        "exists": True,
        "settings": {"domain": asked if domain == wanted else domain},
        "kept": ["its configuration", *([f"the files in {root}"] if root else [])],
        "unadoptable": unadoptable,
    }


def without_comments(text: str) -> str:
    """Return what nginx reads of a file: a # within quotes, or within a word, begins no comment."""
    return COMMENT.sub(lambda found: found[1] or "", text)


def server_names(text: str) -> list[str]:
    """Return the names that a file's servers answer to, in nginx's own forms; domains in small letters and ASCII."""
    found = []
    for names in NAMES.findall(without_comments(text)):
        for double, single, bare in WORD.findall(names):
            name = double or single or bare
            found.append(name if name.startswith("~") else ascii_of(name.lower()))
    return found


def ascii_of(name: str) -> str:
    """Return a name as browsers ask for it; what is no domain stays as it is."""
    labels = []
    for label in name.split("."):
        with contextlib.suppress(UnicodeError):
            label = label.encode("idna").decode() if not label.isascii() else label
        labels.append(label)
    return ".".join(labels)


def answers(name: str, domain: str) -> bool:
    """Tell whether a server of this name gets what is asked of a domain; one that gets everything does not count."""
    if name.startswith("~"):
        with contextlib.suppress(re.error):
            regex = re.compile(
                name[1:].replace("(?<", "(?P<").replace("(?P<!", "(?<!").replace("(?P<=", "(?<="),
                re.IGNORECASE,
            )
            return bool(regex.search(domain)) and not regex.search(NOBODYS)
        return False
    if name.startswith("."):
        return domain == name[1:] or domain.endswith(name)
    if name.startswith("*."):
        return domain.endswith(name[1:])
    if name.endswith(".*"):
        return domain.startswith(name[:-1])
    return name == domain


def root_of(text: str) -> str:
    """Return the first directory that a file's servers serve, "" where it names none."""
    found = ROOT.search(without_comments(text))
    return next(filter(None, found.groups()), "") if found else ""


def seen_of(text: str | None, unloaded: str | None) -> str:
    """Return what tells this state of a site from every other."""
    return hashlib.sha256(json.dumps([text, unloaded]).encode()).hexdigest()[:32]


def used(root: Path) -> dict[str, Any]:
    """Tell how much is stored below `root`; nothing where that would take long to count."""
    size = count = 0
    for where, _, names in os.walk(root):
        for name in names:
            count += 1
            if count > COUNTED_FILES:
                return {}
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118
    return {"storage": {"value": round(size / 1e6, 1), "unit": "MB"}}


def text_of(file: Path) -> str | None:
    """Return what a file holds, None where it is not there."""
    try:
        # What others wrote may be in any encoding with any ends of lines, and is written back as it was.
        with file.open(errors="surrogateescape", newline="") as found:
            return found.read()
    except FileNotFoundError:
        return None


def put(file: Path, text: str, *, like: Path | None = None, mode: int = 0o644) -> None:
    """Write a file so that whoever reads it sees the old or the new one, also after a crash.

    Mode and owner are those of the file `like`, where it is there.
    """
    draft = file.with_name(f".{file.name}.draft")
    draft.unlink(missing_ok=True)
    with open(
        draft,
        "x",
        errors="surrogateescape",
        newline="",
        opener=lambda path, flags: os.open(path, flags, 0o600),
    ) as out:
        out.write(text)
        out.flush()
        if like is not None and like.exists():
            before = like.stat()
            mode = before.st_mode & 0o7777
            with contextlib.suppress(PermissionError):  # only root gives files away
                os.fchown(out.fileno(), before.st_uid, before.st_gid)
        os.fchmod(out.fileno(), mode)
        os.fsync(out.fileno())
    draft.replace(file)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one message."""
    operation = request["operation"]
    if operation == "describe":
        return {"declares": DECLARES}
    sites = Sites(request.get("configuration", {}))
    if operation == "check":
        return sites.check()
    if operation == "observe":
        return sites.observe(request["desired"])
    if operation == "apply":
        return sites.apply(request)
    if operation == "list":
        return sites.list(request.get("cursor", ""), request.get("marked_only", False))
    raise RefusedError("unsupported", f"{operation} is not known here")


def main() -> None:
    """Read one message from stdin, and write the answer to stdout."""
    try:
        told = answer(json.load(sys.stdin))
    except RefusedError as error:
        told = {"error": error.told}
    except PermissionError as error:
        said = f"{error.filename}: {error.strerror}"
        told = {"error": {"kind": "denied", "said": said, "remedy": "Give the worker the right."}}
    sys.stdout.write(json.dumps({"mission_control": 1, **told}) + "\n")


if __name__ == "__main__":
    main()
