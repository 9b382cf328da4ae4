"""Procrastinate without its own drivers, its calendar and its reading of dates: no worker asks it for any of these.

They would be an eighth of a worker's memory. Whatever works with Procrastinate imports it from here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

_UNUSED = {
    "procrastinate.sync_psycopg_connector": "SyncPsycopgConnector",
    "procrastinate.psycopg_connector": "PsycopgConnector",
    "croniter": "croniter",
    "dateutil": "parser",
    "dateutil.parser": "parse",
}
"""Module -> the name in it that Procrastinate's modules look up while they are imported."""


@contextmanager
def _without(unused: Mapping[str, str]) -> Iterator[None]:
    """Let such a name be an empty class, where the module is not imported already.

    Afterwards the modules are what they are again: a connector may need one.
    """
    stand_ins = {module: ModuleType(module) for module in unused if module not in sys.modules}
    for module, stand_in in stand_ins.items():
        setattr(stand_in, unused[module], type(unused[module], (), {}))
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for module in stand_ins:
            del sys.modules[module]


with _without(_UNUSED):
    from procrastinate.app import App
    from procrastinate.connector import BaseAsyncConnector, Notify
    from procrastinate.jobs import Job, Status
    from procrastinate.manager import JobManager
    from procrastinate.schema import SchemaManager
    from procrastinate.worker import Worker

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
