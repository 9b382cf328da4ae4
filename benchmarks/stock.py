"""What Textual gives without us, to measure against: `python -m benchmarks.stock hello|home|reading DATABASE`."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Collapsible, Footer, Header, OptionList, RadioSet, Static
from textual.widgets.option_list import Option


class Hello(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("READY")


class Home(App[None]):
    """Four quadrants of stock widgets."""

    CSS = """
    Grid { grid-size: 2 2; }
    VerticalScroll, OptionList { border: round $primary; height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        yield Header()
        with Grid():
            yield OptionList(*(Option(f"Service {n}  {n}/{2 * n}") for n in range(1, 15)))
            with VerticalScroll():
                for n in range(8):
                    with Collapsible(title=f"Service {n}"):
                        yield RadioSet("PC & Web Access", "Standard Mail (POPX)")
            yield OptionList("New User", "All Users")
            with VerticalScroll():
                yield Static("READY", id="light")
        yield Footer()


class Reading(App[None]):
    """A hello-world that reads one row by SQLAlchemy's asynchronous session: the floor of a console with a database."""

    def compose(self) -> ComposeResult:
        yield Static("...")

    async def on_ready(self) -> None:
        from sqlalchemy import String, select
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
        from sqlalchemy.orm import DeclarativeBase, mapped_column

        class Base(DeclarativeBase):
            pass

        class Installation(Base):
            __tablename__ = "installation"
            uuid = mapped_column(String, primary_key=True)

        self.engine = create_async_engine(f"sqlite+aiosqlite:///{sys.argv[2]}")
        async with AsyncSession(self.engine) as session:
            await session.scalars(select(Installation))
        self.query_one(Static).update("READY")

    async def on_unmount(self) -> None:
        await self.engine.dispose()


if __name__ == "__main__":
    {"hello": Hello, "home": Home, "reading": Reading}[sys.argv[1]]().run(mouse=False)
