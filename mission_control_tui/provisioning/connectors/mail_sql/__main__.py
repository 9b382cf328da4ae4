"""`python -m mission_control_tui.provisioning.connectors.mail_sql DIRECTORY`: writes what a mail server needs there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mission_control_tui.provisioning.connectors.mail_sql.setup_files import (
    PostgresLogin,
    write_setup,
)


def main() -> None:
    """Write the files, and say which."""
    parser = argparse.ArgumentParser(
        description="Write the mail tables' SQL and examples of configuration."
    )
    parser.add_argument(
        "directory", type=Path, help="where to write the files; mail lies in its mail/"
    )
    parser.add_argument(
        "--postgresql",
        action="store_true",
        help="for PostgreSQL (then put host and password in) instead of DIRECTORY/mail.db",
    )
    parser.add_argument("--user", default="mail", help="the system's user that owns the mail")
    chosen = parser.parse_args()
    database = PostgresLogin() if chosen.postgresql else chosen.directory / "mail.db"
    for path in write_setup(chosen.directory, database, user=chosen.user):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
