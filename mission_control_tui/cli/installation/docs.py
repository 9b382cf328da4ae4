"""`docs`: the pages of the documentation, which come with an installed copy too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from mission_control_tui.cli.common.options import reads
from mission_control_tui.cli.common.output import line, print_json, say, table
from mission_control_tui.cli.common.pager import page as page_through
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.session import Session


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the documentation; `name` is what `docs` calls it by."""

    name: str
    title: str
    path: Path


@click.command()
@argument("page", required=False)
@option("--path", "only_path", is_flag=True, help="Print where the file is instead.")
@reads("mission-control docs", "mission-control docs catalogue")
def docs(session: Session, page: str | None, only_path: bool) -> None:
    """The documentation: its pages with their titles, or one PAGE, on a terminal through your pager."""
    found = _pages() if page is None else [_page(page)]
    if session.json:
        print_json({"pages": found})
    elif only_path:
        for shown in found:
            line(str(shown.path))
    elif page is None:
        table(("PAGE", "TITLE"), [(shown.name, shown.title) for shown in found])
        say("`mission-control docs PAGE` shows one.")
    else:
        page_through(found[0].path.read_text(encoding="utf-8"))


def _pages() -> list[Page]:
    """Return all pages by name: those in the package, where they are put when it is built, else those of the clone."""
    import mission_control_tui

    package = Path(mission_control_tui.__file__).parent
    folders = (package / "docs", package.parent / "docs")
    files = next((found for folder in folders if (found := sorted(folder.glob("*.md")))), [])
    return [Page(file.stem, _title(file), file) for file in files]


def _title(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.readline().removeprefix("# ").rstrip()


def _page(name: str) -> Page:
    from mission_control_tui.model.catalogue.lookup import did_you_mean
    from mission_control_tui.model.errors import NotFound

    pages = {page.name: page for page in _pages()}
    wanted = name.casefold().removesuffix(".md")
    if wanted in pages:
        return pages[wanted]
    guess = did_you_mean(wanted, pages)
    raise NotFound(
        f"There is no page {name!r}.", hint=f"{guess} There are: {', '.join(pages)}.".lstrip()
    )
