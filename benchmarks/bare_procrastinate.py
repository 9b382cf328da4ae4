"""A worker of bare Procrastinate that has nothing to do: what an idle one of ours on PostgreSQL is measured by.

python -m benchmarks.bare_procrastinate URL
"""

from __future__ import annotations

import asyncio
import sys

from procrastinate import App, PsycopgConnector
from sqlalchemy import make_url


async def run(url: str) -> None:
    """Work until killed."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(connector=PsycopgConnector(conninfo=plain))
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await app.run_worker_async()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
