"""Procrastinate without its own drivers: no worker speaks by psycopg, which would be a tenth of its memory.

Whatever works with Procrastinate imports it from here.
"""

from __future__ import annotations

import sys
from types import ModuleType


def _without(module: str, name: str) -> None:
    """Let `name` of the module be an empty class, unless the module is imported already."""
    stand_in = ModuleType(module)
    setattr(stand_in, name, type(name, (), {}))
    sys.modules.setdefault(module, stand_in)


# The package itself imports both.
_without("procrastinate.sync_psycopg_connector", "SyncPsycopgConnector")
_without("procrastinate.psycopg_connector", "PsycopgConnector")

from procrastinate.app import App  # noqa: E402
from procrastinate.connector import BaseAsyncConnector, Notify  # noqa: E402
from procrastinate.jobs import Job, Status  # noqa: E402
from procrastinate.manager import JobManager  # noqa: E402
from procrastinate.schema import SchemaManager  # noqa: E402
from procrastinate.worker import Worker  # noqa: E402

__all__ = [
    "App",
    "BaseAsyncConnector",
    "Job",
    "JobManager",
    "Notify",
    "SchemaManager",
    "Status",
    "Worker",
]
