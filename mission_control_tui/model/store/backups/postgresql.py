"""PostgreSQL's part of a backup: its own programs, pg_dump and psql, for this program's tables alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from mission_control_tui.model.errors import StoreError
from mission_control_tui.model.store.child_environment import (
    environment_of_drivers,
    environment_of_others,
)
from mission_control_tui.model.store.engine import ENGINE_SCHEMA
from mission_control_tui.model.store.private_files import make
from mission_control_tui.model.store.tables.audit import APPEND_ONLY
from mission_control_tui.model.store.tables.base import Base
from mission_control_tui.model.text.clean import harmless

UPGRADE_LOCK = 7_237_263
_SAID_LIMIT = 400


def snapshot(url: URL, dump: Path) -> None:
    """Dump this program's tables as of one moment, while others write. Raises StoreError."""
    make(dump, b"")
    names = sorted({*Base.metadata.tables, "alembic_version"})
    _run(
        url,
        "pg_dump",
        "--no-owner",
        "--no-privileges",
        f"--file={dump}",
        *(f"--table={name}" for name in names),
    )


def put_in_place(
    url: URL, dump: Path, aside: str, present: Sequence[str], statements: Sequence[str]
) -> None:
    """Put the dump's tables in the place of `present` ones, which go to the schema `aside`: all of it or nothing.

    The restored database is told the statements in the same transaction. Raises StoreError.
    """
    before, after = dump.with_name("before.sql"), dump.with_name("after.sql")
    function = APPEND_ONLY["postgresql"][0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    moved = [f'CREATE SCHEMA "{aside}"'] if present else []
    moved += [f'ALTER TABLE "{name}" SET SCHEMA "{aside}"' for name in present]
    # The engine's jobs are of attempts that the restored queue will number again; a worker makes its tables anew.
    lock = f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})"
    _script(before, [lock, *moved, f"DROP SCHEMA IF EXISTS {ENGINE_SCHEMA} CASCADE", function])
    _script(after, ["RESET search_path", *statements])
    options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
    files = [f"--file={file}" for file in (before, dump, after)]
    _run(url, "psql", *options, "--output=/dev/null", *files)


def _script(path: Path, statements: Sequence[str]) -> None:
    make(path, "".join(f"{statement};\n" for statement in statements).encode())


def _run(url: URL, program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise StoreError(
            f"{program} is not installed, and a PostgreSQL database is backed up and restored with it.",
            hint="Install PostgreSQL's client programs, of the server's version or newer.",
        )
    done = subprocess.run(
        [found, "--no-password", *arguments],
        env=libpq_environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = harmless(" ".join(done.stderr.split()))[:_SAID_LIMIT]
        raise StoreError(
            f"{program} ended with {done.returncode}: {said}",
            hint="Nothing was changed. Look at the server and at who you connect as.",
        )


def libpq_environment(url: URL) -> Mapping[str, str]:
    """Return the environment of a program that connects there: the password is in no argument."""
    named = {
        "PGHOST": url.host,
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGDATABASE": url.database,
        **{f"PG{key.upper()}": str(value) for key, value in url.query.items()},
    }
    stated = {key: value for key, value in named.items() if value is not None}
    ours = {**environment_of_others(), **environment_of_drivers()}
    return {"PGCONNECT_TIMEOUT": "10", **ours, **stated}
