"""Write docs/cli.md: every command's help, and a real example of the JSON that it prints.

    python scripts/write_cli_docs.py            writes docs/cli.md
    python scripts/write_cli_docs.py --check    exits 1 where docs/cli.md is not what it would write

The examples are run, in the order of EXAMPLES, on a database in a directory that is thrown away. Times, ids and paths
are replaced by fixed ones, and lists are cut to their first entry.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mission_control_tui.cli.main import BROKEN_PIPE, INTERRUPTED, main, root  # noqa: E402
from mission_control_tui.model.errors import (  # noqa: E402
    MissionControlError,
    NotFound,
    ProblemCode,
)

ERRORS_ELSEWHERE = (
    "model.orders.approval",
    "provisioning.registry",
    "provisioning.launcher",
)
"""Modules that define kinds of errors of their own."""

TARGET = ROOT / "docs" / "cli.md"
PASSWORD = "Correct-Horse-7\n"
PEOPLE = """\
UPN,Display Name,First Names,Last Name,Password
grace@acme.example,Grace Hopper,Grace,Hopper,Correct-Horse-7
"""

GROUPS = """\
Kind,Name,Address,Member
distribution-group,Research,research@acme.example,ada@acme.example
"""

EXISTING = """\
Action,Account,User or Domain,Level,Connector,Service,Native Name
leave,acme,old@acme.example,popx,simulator,managed-exchange,acme_old
"""

EXAMPLES = {
    "init": 'init --name "Acme Pty Ltd" --code acme --domain acme.example',
    "doctor": "doctor",
    "account list": "account list",
    "attention": "attention",
    "account show": "account show acme",
    "account edit": "account edit acme --time-zone Australia/Sydney --dry-run",
    "account contacts set": "account contacts set primary --name 'Rita Field' --email rita@acme.example",
    "account contacts list": "account contacts list",
    "account contacts clear": "account contacts clear primary --dry-run",
    "account approval": "account approval --above 500 --dry-run",
    "account domains": "account domains",
    "account add-domain": "account add-domain acme-mail.example --dry-run",
    "account remove-domain": "account remove-domain acme.example --dry-run",
    "catalogue check": "catalogue check catalogue.toml",
    "catalogue diff": "catalogue diff catalogue.toml",
    "catalogue load": "catalogue load catalogue.toml --dry-run",
    "catalogue export": "catalogue export --out exported.toml",
    "catalogue show": "catalogue show web-hosting",
    "buy": "buy email --level popx --quantity 5 --ticket T-100",
    "services list": "services list",
    "orders list": "orders list",
    "orders show": "orders show 1",
    "orders cancel": "orders cancel 1 --reason 'Ordered twice' --dry-run",
    "account usage": "account usage",
    "account statement": "account statement",
    "remove": "remove email --level popx --quantity 1 --dry-run",
    "users create": (
        "users create --upn ada@acme.example --first-names Ada --last-name Lovelace --password-stdin"
    ),
    "users import": "users import users.csv",
    "users list": "users list ada",
    "users export": "users export --json",
    "users recent": "users recent",
    "find": "find ada",
    "users show": "users show ada@acme.example",
    "users edit": "users edit ada@acme.example --title Analyst --dry-run",
    "users delete": "users delete grace@acme.example --yes",
    "users bin": "users bin",
    "users purge": "users purge grace@acme.example --dry-run",
    "users restore": "users restore grace@acme.example",
    "users password": "users password ada@acme.example --password-stdin --dry-run",
    "provision": "provision ada@acme.example managed-exchange --level popx --ticket T-101",
    "suspend": "suspend ada@acme.example managed-exchange --dry-run",
    "bulk plan": "bulk plan change --service managed-exchange --level popx ada@acme.example",
    "bulk start": "bulk start suspend --service managed-exchange ada@acme.example --yes",
    "bulk stop": "bulk stop 1",
    "bulk resume": "bulk resume 1",
    "bulk show": "bulk show 1 --outcome left",
    "bulk list": "bulk list",
    "undo": "undo request 1 --dry-run",
    "status": "status ada@acme.example",
    "connectors list": "connectors list",
    "connectors check": "connectors check",
    "connectors show": "connectors show simulator",
    "requests list": "requests list",
    "requests show": "requests show 1",
    "requests cancel": "requests cancel 1 --dry-run",
    "requests allow": "requests allow --yes --dry-run",
    "drift": "drift",
    "adopt scan": "adopt scan simulator --service managed-exchange",
    "adopt load": "adopt load existing.csv",
    "adopt remove": "adopt remove simulator --dry-run",
    "users disable": "users disable ada@acme.example",
    "users enable": "users enable ada@acme.example",
    "users unlock": "users unlock ada@acme.example --dry-run",
    "users alias add": "users alias add ada@acme.example countess@acme.example",
    "users alias primary": "users alias primary ada@acme.example countess@acme.example --dry-run",
    "users alias remove": "users alias remove ada@acme.example countess@acme.example",
    "objects kinds": "objects kinds",
    "objects create": (
        'objects create shared-mailbox "Info Desk" info@acme.example --add send-as=ada@acme.example --dry-run'
    ),
    "objects import": "objects import groups.csv --dry-run",
    "objects list": "objects list",
    "schedule add": 'schedule add ada@acme.example "2030-01-07 09:00" disable --ticket T-102',
    "schedule list": "schedule list",
    "schedule change": 'schedule change 1 --when "2030-01-08 09:00" --dry-run',
    "schedule cancel": "schedule cancel 1",
    "deprovision": "deprovision ada@acme.example managed-exchange --dry-run --yes",
    "users deprovision": "users deprovision ada@acme.example --dry-run --yes",
    "users history": "users history ada@acme.example",
    "audit": "audit --limit 1",
    "upgrade": "upgrade",
    "docs": "docs",
    "locate": "locate",
}
"""The command that an example belongs to -> the call, without --json."""

INTRODUCTION = """\
# The command line

Written by `python scripts/write_cli_docs.py` from the commands themselves.

`mission-control` alone opens the console. Everything that its screens do is a command too.

- **stdout is data, stderr is narration.** `--json` prints one JSON document on stdout; an error is a document on
  stderr then. Times are UTC, ISO 8601. Money is in minor units (cents) with its currency.
- **Names or ids.** Products, services, levels and options go by either, in upper or lower case; users by UPN, alias,
  username or id.
- **`--account CODE` and `--database URL-OR-PATH`** stand before or after a command. With several accounts and none
  named, a command refuses and lists them; the sample account counts only where there is no other.
- **Commands that are printed** as what comes next repeat both where the call named them, so that a copy acts where it
  did. A password is never repeated: the copy takes it from `~/.pgpass` or `PGPASSWORD`, or is refused.
- **`--dry-run`** carries a change out and takes it back at the end: the plan that it prints is what would happen.
- **`--ticket REF`** is kept with every change in the audit.
- **`--yes`** answers the question that a command asks before it takes something away. Without a terminal it is needed.
- **Control characters** in names or in a back end's words never reach the terminal, and no cell of a CSV is a formula.
- In JSON **keys are only ever added**. The examples below are real; lists are cut to their first entry.

A change answers with `applied` (false on a dry run), its result, and the `plan`:

| key of the plan | holds |
|---|---|
| `lines` | `verb` (created, changed, removed, unchanged), `kind`, `name`, and what differs `before` and `after` |
| `seats` | of each service and level: `owned_before`, `owned_after`, `free_before`, `free_after` |
| `net`, `tax`, `total` | `minor` units and `currency`; null where nothing is paid |
| `warnings` | what does not stop the change but should be known |
| `requests` | numbers of the requests that were queued |
| `lost` | what shrinks or is taken away, in words: such a change needs `--yes` without a terminal |
"""


def document() -> str:
    """The whole page."""
    examples = _run_examples()
    parts = [INTRODUCTION, _exit_codes(), "## Commands\n"]
    commands = list(_commands(root, "mission-control"))
    parts.append("".join(f"- [`{path}`](#{_anchor(path)})\n" for path, _ in commands))
    for path, command in commands:
        parts.append(_section(path, command, examples))
    return "\n".join(parts)


def _exit_codes() -> str:
    rows = {
        0: "It is done.",
        1: "A defect, a library that is not installed, or `doctor` found a problem.",
    }
    for module in ERRORS_ELSEWHERE:
        importlib.import_module(f"mission_control_tui.{module}")
    kinds: list[type[MissionControlError]] = [MissionControlError]
    codes: dict[int, set[str]] = {}
    for kind in kinds:
        kinds += kind.__subclasses__()
        rows.setdefault(kind.exit_code, f"{kind.title}.")
        codes.setdefault(kind.exit_code, set()).add(f"`{kind.code}`")
    rows[INTERRUPTED] = "Interrupted (Ctrl-C)."
    rows[BROKEN_PIPE] = "Whoever read stdout has gone."
    lines = [
        f"| {code} | {rows[code]} | {', '.join(sorted(codes.get(code, ())))} |"
        for code in sorted(rows)
    ]
    shape = {
        "error": {
            "code": NotFound.code,
            "title": NotFound.title,
            "what": "This account has no order 99.",
            "hint": "`mission-control orders list` shows them.",
            "exit_code": NotFound.exit_code,
            "problems": [],
        }
    }
    return "\n".join(
        [
            "## Exit codes\n",
            "| exit code | meaning | `code` in JSON |",
            "|---|---|---|",
            *lines,
            "",
            "With `--json` an error on stderr is:\n",
            "```json",
            json.dumps(shape, indent=2),
            "```",
            "",
            "`code` is for scripts: it stays, where the sentences may be reworded.",
            "`problems` has one entry (`where`, `what`, `hint`, `code`) for each thing that is wrong;",
            f"its `code` is {' or '.join(f'`{code}`' for code in ProblemCode)}.\n",
        ]
    )


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise SystemExit(f"write_cli_docs: there is no {path} {name}")
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _section(path: str, command: click.Command, examples: dict[str, Any]) -> str:
    context = click.Context(
        command,
        info_name=path,
        max_content_width=100,
        terminal_width=100,
        help_option_names=["-h", "--help"],
    )
    with context:
        text = command.get_help(context)
    name = path.removeprefix("mission-control ")
    lines = [f"### {path}\n", "```text", text.strip(), "```", ""]
    if name in examples:
        lines += [
            f"`mission-control {EXAMPLES[name]} --json` prints:\n",
            "```json",
            json.dumps(examples[name], indent=2),
            "```",
            "",
        ]
    return "\n".join(lines)


def _anchor(path: str) -> str:
    return path.lower().replace(" ", "-")


def _run_examples() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mc-docs-") as directory:
        home = Path(directory).resolve()
        with mock.patch.dict(os.environ, _environment(home), clear=True):
            before = Path.cwd()
            os.chdir(home)
            try:
                return _results(home)
            finally:
                os.chdir(before)


def _environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_STATE_HOME": f"{home}/.local/state",
        "LOGNAME": "operator",
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "MISSION_CONTROL_NO_WORKER": "1",
    }


def _results(home: Path) -> dict[str, Any]:
    from mission_control_tui.model.catalogue.file.shipped import shipped

    changed = shipped().replace('name = "Starter"', 'name = "Beginner"', 1)
    Path("catalogue.toml").write_text(changed, encoding="utf-8")
    Path("users.csv").write_text(PEOPLE, encoding="utf-8")
    Path("groups.csv").write_text(GROUPS, encoding="utf-8")
    Path("existing.csv").write_text(EXISTING, encoding="utf-8")
    found: dict[str, Any] = {}
    for name, call in EXAMPLES.items():
        found[name] = _normal(json.loads(_call(f"{call} --json")), home)
    return found


def _call(call: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    stdin = io.TextIOWrapper(io.BytesIO(PASSWORD.encode()))
    with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "stdin", stdin):
        try:
            main(shlex.split(call))
        except SystemExit as ending:
            code = ending.code
    if code not in (0, None):
        raise SystemExit(
            f"write_cli_docs: {call} ended with {code}:\n{out.getvalue()}{err.getvalue()}"
        )
    return out.getvalue()


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ID = re.compile(r"\b[0-9a-f]{32}\b")
_DAYS = {"period": "2026-03", "day": "2026-03-02"}
"""Months and days by their keys: what is written of them would differ each day."""


def _normal(value: object, home: Path) -> Any:
    if isinstance(value, dict):
        return {
            name: _DAYS[name] if name in _DAYS and isinstance(one, str) else _normal(one, home)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_normal(one, home) for one in value[:1]]
    if isinstance(value, str):
        text = value.replace(str(home), "/home/operator").replace(str(ROOT), "/home/operator/clone")
        text = _TIME.sub("2026-03-02T09:30:00Z", text)
        return _ID.sub("0123456789abcdef0123456789abcdef", text)
    if isinstance(value, float):
        return 0.0
    return value


def run() -> int:
    text = document()
    if "--check" in sys.argv[1:]:
        if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET} is not current: python scripts/write_cli_docs.py", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(run())
