"""Bare DBOS: workflows of three recorded steps that do nothing, on a database of its own; what ours is measured by.

    python -m benchmarks.bare_dbos URL COUNT

Prints how many a second, and the processor's milliseconds for each.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import sys
import time
from contextlib import closing

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import make_url

QUEUE, WORKFLOW, SLOTS, POLL_SECONDS = "bare", "three steps", 16, 0.1

ended: list[int] = []


@DBOS.workflow(name=WORKFLOW)
async def three_steps(number: int) -> None:
    """As a request is, without a back end."""
    for step in range(3):
        await DBOS.run_step_async({"name": f"step {step}"}, nothing)
    ended.append(number)


async def nothing() -> None:
    """What a step does."""


def enqueue(url: str, count: int) -> None:
    """Queue them all, before anybody takes them."""
    DBOS.migrate(url)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "")) as database:
            database.execute("PRAGMA journal_mode = WAL")  # as ours is
    client = DBOSClient(system_database_url=url, serializer=DBOSPortableJSONSerializer())
    client.register_queue(QUEUE, worker_concurrency=SLOTS, polling_interval_sec=POLL_SECONDS)
    for number in range(count):
        client.enqueue({"workflow_name": WORKFLOW, "queue_name": QUEUE}, number)
    client.destroy()


async def run(url: str, count: int) -> None:
    """Run them all, and say what it took."""
    await asyncio.to_thread(enqueue, url, count)
    config: DBOSConfig = {
        "name": "bare",
        "system_database_url": url,
        "serializer": DBOSPortableJSONSerializer(),
        "enable_otlp": False,
        "log_level": "WARNING",
    }
    DBOS(config=config)
    DBOS.listen_queues([QUEUE])
    begun, spent = time.perf_counter(), processor()
    DBOS.launch()
    while len(ended) < count:  # noqa: ASYNC110 - polled on purpose
        await asyncio.sleep(0.05)
    took = time.perf_counter() - begun
    sys.stdout.write(f"{count / took} {(processor() - spent) / count * 1000}\n")
    sys.stdout.flush()
    DBOS.destroy()


def processor() -> float:
    """Seconds that this process has worked."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2])))
