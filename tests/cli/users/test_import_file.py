"""`users import`: real files, every reason, refused rows corrected and imported again, stdin, passwords, long files."""

from __future__ import annotations

import csv
import fcntl
import os
import pty
import re
import shutil
import stat
import struct
import subprocess
import sys
import termios
from pathlib import Path
from unittest import mock

import pytest

from mission_control_tui.cli.common import passwords as passwords_module
from mission_control_tui.model.errors import StoreError
from tests.cli.command import ROOT, SAMPLES, Command

HEADINGS = "User Name,First Name,Last Name,Display Name,Job Title\n"
ADA = "ada@acme.example,Ada,Lovelace,Ada Lovelace,Analyst\n"
BOB = "bob@acme.example,Bob,Example,Bob Example,\n"
OUT = ("--passwords-out", "p.csv")


def write(mc: Command, name: str, *lines: str) -> Path:
    path = mc.directory / name
    path.write_text("".join(lines), "utf-8")
    return path


def passwords(mc: Command, name: str = "p.csv") -> dict[str, str]:
    with (mc.directory / name).open(newline="") as file:
        return {row["upn"]: row["password"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("*.csv")))
def test_every_sample_comes_in_and_again_is_nothing_to_do(acme: Command, sample: str) -> None:
    shutil.copy(SAMPLES / sample, acme.directory / "users.csv")
    tried = acme.ok("users", "import", "users.csv", *OUT, "--dry-run", "--json").json
    assert not tried["applied"]
    assert acme.json("users", "list")["total"] == 0
    done = acme.ok("users", "import", "users.csv", *OUT, "--json").json
    assert done["created"] == tried["created"]
    assert len(done["created"]) == done["rows"] == acme.json("users", "list")["total"] > 0
    before = acme.contents()
    again = acme.ok("users", "import", "users.csv", *OUT)
    assert "Nothing to do: everything is so already." in again.out
    assert f"{done['rows']} unchanged" in again.out
    assert acme.contents() == before
    given = passwords(acme) if (acme.directory / "p.csv").exists() else {}
    # One of the users in google.csv has no password there.
    assert len(given) == {"google.csv": 1}.get(sample, done["rows"])
    text = repr(before) + again.out + again.err
    assert not any(password in text for password in given.values())


def test_nobody_is_created_without_a_password(acme: Command) -> None:
    write(acme, "users.csv", HEADINGS, ADA, BOB)
    before = acme.contents()
    refused = acme.run("users", "import", "users.csv")
    assert refused.code == 3
    assert "rows 2, 3" in refused.err
    assert "--passwords-out" in refused.err
    assert acme.contents() == before
    (acme.directory / "p.csv").write_text("mine")
    assert acme.run("users", "import", "users.csv", *OUT).code == 5
    assert acme.contents() == before
    assert (acme.directory / "p.csv").read_text() == "mine"


def test_good_rows_come_in_bad_ones_are_told_corrected_and_come_in_too(acme: Command) -> None:
    write(
        acme,
        "users.csv",
        HEADINGS.strip() + ",Country or Region\n",
        ADA.strip() + ",Australia\n",
        "bob@@acme.example,Bob,Example,Bob Example,=1+1,Atlantis\n",
        "cyd@acme.example,Cyd,Example,,Clerk,Australia\n",
        "dee@acme.example,Dee,Example,Dee Example,,Australia\n",
        "ada@acme.example,Ada,Again,Ada Again,,Australia\n",
    )
    done = acme.run("users", "import", "users.csv", *OUT, "--json")
    assert done.code == 11
    assert done.json["created"] == ["ada@acme.example", "dee@acme.example"]
    assert [one["row"] for one in done.json["refused"]] == [3, 4, 6]
    assert [len(one["problems"]) for one in done.json["refused"]] == [2, 1, 1]
    text = acme.run("users", "import", "users.csv", *OUT, "--dry-run")
    assert text.code == 11
    for where in ("row 3, User Name", "row 3, Country or Region", "row 4, Display Name", "row 6"):
        assert where in text.err
    assert sorted(path.name for path in acme.directory.iterdir()) == [
        "p.csv",
        "users-refused.csv",
        "users.csv",
    ]

    path = acme.directory / "users-refused.csv"
    with path.open(newline="", encoding="utf-8-sig") as file:
        headings, *rows = list(csv.reader(file))
    assert headings[0] == "Reason"
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row if cell)
    rows[0][headings.index("User Name")] = "bob@acme.example"
    rows[0][headings.index("Country or Region")] = "Australia"
    rows[1][headings.index("Display Name")] = "Cyd Example"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([headings, *rows[:2]])
    acme.ok("users", "import", path.name, "--passwords-out", "q.csv")
    assert acme.json("users", "list")["total"] == 4
    assert acme.json("users", "show", "bob")["title"] == "=1+1"


def test_refused_rows_never_overwrite_and_are_private_with_passwords(acme: Command) -> None:
    headings = (
        "First Name [Required],Last Name [Required],Email Address [Required],Password [Required]\n"
    )
    row = "Ada,Lovelace,ada@elsewhere.example,Correct-Horse-7\n"
    write(acme, "users.csv", headings, row)
    write(acme, "users-refused.csv", "mine")
    done = acme.run("users", "import", "users.csv")
    assert done.code == 11
    assert "elsewhere.example (row 2)" in done.err
    assert "Correct-Horse-7" not in done.err + done.out
    second = acme.directory / "users-refused-2.csv"
    assert stat.S_IMODE(second.stat().st_mode) == 0o600
    assert (acme.directory / "users-refused.csv").read_text() == "mine"
    named = acme.run("users", "import", "users.csv", "--rejects-out", "users-refused.csv")
    assert named.code == 5
    assert acme.run("users", "import", "users.csv", "--rejects-out", "bad.csv").code == 11
    assert (acme.directory / "bad.csv").exists()


def test_domains_that_the_account_lacks_are_one_error(acme: Command) -> None:
    rows = [f"user{n}@elsewhere.example,U,{n},User {n},\n" for n in range(50)]
    write(acme, "users.csv", HEADINGS, *rows, ADA)
    done = acme.run("users", "import", "users.csv", *OUT)
    assert done.code == 11
    assert done.err.count("elsewhere.example") == 1
    assert "1 created" in done.out


def test_differing_rows_are_listed_and_change_only_with_update(acme: Command) -> None:
    write(acme, "users.csv", HEADINGS, ADA, BOB)
    acme.ok("users", "import", "users.csv", *OUT)
    write(acme, "users.csv", HEADINGS, ADA.replace("Analyst", "Countess"), BOB)
    before = acme.contents()
    listed = acme.ok("users", "import", "users.csv")
    assert "title: Analyst -> Countess" in listed.out
    assert "--update" in listed.err
    assert "1 different and left alone" in listed.out
    assert acme.contents() == before
    tried = acme.ok("users", "import", "users.csv", "--update", "--dry-run")
    assert "1 would be changed" in tried.out
    assert acme.contents() == before
    done = acme.ok("users", "import", "users.csv", "--update", "--ticket", "T-7")
    assert "title: Analyst -> Countess" in done.out
    assert acme.json("users", "show", "ada")["title"] == "Countess"
    assert "T-7" in acme.ok("users", "history", "ada").out


def test_standard_input_works_too(acme: Command) -> None:
    done = acme.ok("users", "import", "-", *OUT, stdin=(HEADINGS + ADA).encode("utf-16"))
    assert "1 created" in done.out
    bad = acme.run("users", "import", "-", stdin=(HEADINGS + ",,,,x\n").encode())
    assert bad.code == 11
    assert (acme.directory / "users-refused.csv").exists()


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"no,known,headings\n1,2,3\n", b'a,"b\n'])
def test_what_is_no_file_of_users_is_refused(acme: Command, data: bytes) -> None:
    refused = acme.run("users", "import", "-", *OUT, stdin=data)
    assert refused.code in {2, 3}
    assert "Traceback" not in refused.err
    assert not (acme.directory / "p.csv").exists()
    assert acme.run("users", "import", "missing.csv", *OUT).code == 2


def test_control_characters_and_formulas_of_a_file_stay_harmless(acme: Command) -> None:
    evil = "Ada\x1b]0;owned\x07\x9b2J\u202e"
    write(acme, "users.csv", HEADINGS, f"ada@acme.example,{evil},L,{evil},=cmd|' /C calc'!A0\n")
    calls = [
        acme.run("users", "import", "users.csv", *OUT),
        acme.run("users", "import", "users.csv", "--passwords-out", "q.csv", "--json"),
        acme.run("users", "list", "--csv"),
    ]
    for call in calls:
        assert not {0x1B, 0x07} & set(call.raw)
        assert "\u202e" not in call.out + call.err
        assert "\x9b" not in call.out + call.err


@pytest.mark.proof
def test_imports_at_once_create_each_user_once(acme: Command) -> None:
    rows = [f"user{n}@acme.example,U,{n},User {n},\n" for n in range(30)]
    write(acme, "users.csv", HEADINGS, *rows)
    calls = [
        acme.start("users", "import", "users.csv", "--passwords-out", f"p{number}.csv", "--json")
        for number in range(3)
    ]
    ends = [call.communicate(timeout=60) for call in calls]
    assert [call.returncode for call in calls] == [0, 0, 0], ends
    assert acme.json("users", "list")["total"] == 30
    files = [file.name for file in acme.directory.glob("p?.csv")]
    assert sum(len(passwords(acme, name)) for name in files) == 30


@pytest.mark.slow
def test_a_long_file_shows_its_progress_to_a_person(acme: Command) -> None:
    count = 1_500
    rows = [f"user{n}@acme.example,User,{n},User {n},\n" for n in range(count)]
    write(acme, "users.csv", HEADINGS, *rows)
    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "mission_control_tui", "users", "import", "users.csv", *OUT],
        cwd=acme.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=side,
    ) as call:
        os.close(side)
        assert call.stdout is not None
        out = call.stdout.read().decode()
        shown = b""
        while chunk := _read(terminal):
            shown += chunk
    os.close(terminal)
    assert call.returncode == 0
    assert "1500 created" in out
    assert len(passwords(acme)) == count
    steps = [
        int(found) for found in re.findall(rb"Importing: [\d,]+ of 1,500 rows \((\d+) %\)", shown)
    ]
    assert steps == sorted(steps)
    assert len(set(steps)) >= 3
    assert shown.rstrip().endswith(b"1,500 generated passwords written to p.csv.")
    quiet = acme.ok("users", "import", "users.csv")
    assert "Importing" not in quiet.err
    assert "1500 unchanged" in quiet.out


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""  # Linux says so when the other side is closed


def test_a_dry_run_shows_what_was_understood(inside: Command) -> None:
    inside.init()
    rows = [f"u{n}@acme.example,U{n}\n" for n in range(8)]
    rows[6] = "u6@acme.example,Paweł Żółć\n"
    data = ("UPN,Display Name\n" + "".join(rows)).encode("cp1250")
    (inside.directory / "u.csv").write_bytes(data)
    tried = inside.ok("users", "import", "u.csv", "--dry-run")
    assert "display name: Pawe³ ¯ó³æ" in tried.out
    assert "8 new users would have no password" in tried.err
    right = inside.ok("users", "import", "u.csv", "--dry-run", "--encoding", "windows-1250")
    assert "row 8  upn: u6@acme.example; display name: Paweł Żółć" in right.out
    assert "row 6  " in right.out
    assert "row 7  " not in right.out
    told = inside.ok("users", "import", "u.csv", "--dry-run", "--json").json
    assert [shown["row"] for shown in told["understood"]] == [2, 3, 4, 5, 6, 8]
    mapped = inside.run("users", "import", "u.csv", "--dry-run", "--map", "Display Name=Title")
    assert mapped.code == 11, "without a column of display names nobody new is created"
    assert "row 9, Display Name: is compulsory" in mapped.err


def test_passwords_that_cannot_be_written_create_nobody(acme: Command) -> None:
    rows = [f"u{n}@acme.example,U{n}\n" for n in range(3)]
    write(acme, "u.csv", "UPN,Display Name\n", *rows)
    written = passwords_module.PasswordFile.keep

    def full(self: object, *_: object, **__: object) -> None:
        raise StoreError("The passwords could not be written to p.csv: No space left on device.")

    with mock.patch.object(passwords_module.PasswordFile, "keep", full):
        refused = acme.run("users", "import", "u.csv", *OUT)
    assert refused.code == 8
    assert acme.json("users", "list")["total"] == 0
    assert not (acme.directory / "p.csv").exists()
    assert written is passwords_module.PasswordFile.keep
    acme.ok("users", "import", "u.csv", *OUT)
    assert len(passwords(acme)) == 3


def test_an_export_comes_back_as_it_is(acme: Command) -> None:
    write(acme, "u.csv", "UPN,Display Name,Aliases\n", "u@acme.example,=U,al@acme.example\n")
    acme.ok("users", "import", "u.csv", *OUT)
    acme.ok("users", "export", "--out", "all.csv")
    assert stat.S_IMODE((acme.directory / "all.csv").stat().st_mode) == 0o600
    assert "1 unchanged" in acme.ok("users", "import", "all.csv", "--update").out
    assert acme.run("users", "export", "--out", "all.csv").code == 5
    printed = acme.ok("users", "export").out
    assert printed in (acme.directory / "all.csv").read_bytes().decode("utf-8-sig")
    assert acme.json("users", "export")["users"][0]["aliases"] == ["al@acme.example"]


def test_rows_give_services_and_their_passwords_are_in_the_file(acme: Command) -> None:
    rows = ("a@acme.example,A,managed-exchange=popx; databases=small\n", "b@acme.example,B,\n")
    write(acme, "u.csv", "UPN,Display Name,Services\n", *rows)
    tried = acme.ok("users", "import", "u.csv", "--dry-run")
    assert "free 5 -> 4" in tried.out
    assert acme.run("users", "import", "u.csv").code in {2, 3}
    done = acme.ok("users", "import", "u.csv", *OUT)
    assert "service" in done.out
    with (acme.directory / "p.csv").open(newline="") as file:
        made = [(row["upn"], row["service"], bool(row["password"])) for row in csv.DictReader(file)]
    assert sorted(made) == [
        ("a@acme.example", "", True),
        ("a@acme.example", "databases", True),
        ("b@acme.example", "", True),
    ]


def test_an_update_changes_the_level_of_a_service_that_somebody_has(acme: Command) -> None:
    heading = "UPN,Display Name,Services\n"
    person = "a@acme.example,A,managed-exchange={}; databases=small\n"
    write(acme, "u.csv", heading, person.format("pc-web"))
    acme.ok("users", "import", "u.csv", *OUT)
    write(acme, "u.csv", heading, person.format("popx"))
    left = acme.ok("users", "import", "u.csv")
    assert "managed-exchange: pc-web -> popx" in left.out
    tried = acme.ok("users", "import", "u.csv", "--update", "--dry-run")
    assert "level" in tried.out
    assert "Lost: " in tried.err
    refused = acme.run("users", "import", "u.csv", "--update", "--json")
    assert (refused.code, "Lost: " in refused.err) == (7, True), "what shrinks is asked about"
    acme.ok("users", "import", "u.csv", "--update", "--yes")
    levels = [(service["service"], service["level"]) for service in acme.json("status")["services"]]
    assert ("managed-exchange", "popx") in levels
    again = acme.ok("users", "import", "u.csv", "--update")
    assert "1 unchanged" in again.out
