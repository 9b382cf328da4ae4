"""Procrastinate is imported with stand-ins for what no worker asks it for; whoever asks later gets the real thing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

IMPORTED = """
import json, sys
import mission_control_tui.provisioning.worker
import mission_control_tui.provisioning.procrastinate_engine
from mission_control_tui.provisioning.procrastinate_library import _UNUSED
"""


def told(code: str) -> Any:
    """What the code says in a process that has imported what a worker on PostgreSQL imports."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED + code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_no_stand_in_and_no_driver_of_procrastinates_is_left() -> None:
    code = """
drivers = {"psycopg", "psycopg_pool", "psycopg2", "aiopg"}
print(json.dumps([len(_UNUSED), sorted(sys.modules.keys() & {*_UNUSED, *drivers})]))
"""
    stand_ins, left = told(code)
    assert stand_ins
    assert left == []


def test_a_connector_that_needs_one_of_them_gets_the_real_one() -> None:
    code = """
import croniter, dateutil.parser
from procrastinate.psycopg_connector import PsycopgConnector
print(json.dumps([
    dateutil.parser.isoparse("2026-12-01T04:05:06Z").isoformat(),
    dateutil.parser.parse("1 December 2026").isoformat(),
    croniter.croniter("5 4 1 * *", 0.0).get_next(float),
    hasattr(PsycopgConnector, "execute_query_async"),
]))
"""
    assert told(code) == ["2026-12-01T04:05:06+00:00", "2026-12-01T00:00:00", 14_700.0, True]


def test_what_procrastinate_keeps_of_a_stand_in_makes_the_real_thing() -> None:
    code = """
import procrastinate
from procrastinate.periodic import PeriodicTask
each = PeriodicTask(task=None, cron="5 4 1 * *", periodic_id="", configure_kwargs={})
print(json.dumps([
    each.croniter.get_next(float, start_time=0.0),
    type(procrastinate.PsycopgConnector()).__module__,
    type(procrastinate.SyncPsycopgConnector()).__module__,
]))
"""
    modules = ["procrastinate.psycopg_connector", "procrastinate.sync_psycopg_connector"]
    assert told(code) == [14_700.0, *modules]
