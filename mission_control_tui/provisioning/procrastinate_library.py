"""Procrastinate without its own drivers, its calendar and its reading of dates: no worker asks it for any of these.

They would be an eighth of a worker's memory. Whatever works with Procrastinate imports it from here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

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
    """Let a stand-in be such a module, where it is not imported already.

    Afterwards the modules are what they are again: a connector may need one.
    """
    stand_ins = {
        module: _stand_in(module, name)
        for module, name in unused.items()
        if module not in sys.modules
    }
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for module in stand_ins:
            del sys.modules[module]


def _stand_in(module: str, name: str) -> ModuleType:
    """Return a module with one class, which imports the real one when somebody calls it: Procrastinate keeps it."""

    def make(_: type, *given: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*given, **named)

    stand_in = ModuleType(module)
    setattr(stand_in, name, type(name, (), {"__new__": make}))
    return stand_in


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
