"""`catalogue`: check a file, see what it would change and for whom, put it in force, export it, show what it sells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mission_control_tui.cli.common.options import changes, reads
from mission_control_tui.cli.common.output import attributes, line, print_json, say, table, wrapped
from mission_control_tui.cli.common.parameters import argument, option
from mission_control_tui.cli.common.results import tell
from mission_control_tui.cli.common.session import Session
from mission_control_tui.model.catalogue.file.shipped import DEFAULT, SHIPPED, shipped
from mission_control_tui.model.errors import Conflict, NotFound

if TYPE_CHECKING:
    from mission_control_tui.model.catalogue.in_force import InForce
    from mission_control_tui.model.catalogue.types import (
        Catalogue,
        Extension,
        Product,
        ProductLevel,
    )
    from mission_control_tui.model.installation.catalogue_update import TouchedChange
    from mission_control_tui.model.store.database import Store

_FILE = argument("file", type=click.Path(path_type=Path))


@click.group()
def catalogue() -> None:
    """The catalogue: what is sold and what is provisioned."""


@catalogue.command()
@_FILE
@reads("mission-control catalogue check my-catalogue.toml")
def check(session: Session, file: Path) -> None:
    """Check a catalogue file: every error at once, with its line and what was expected. Changes nothing.

    What the connectors of the settings would not keep of it (options, limits, levels) is told as well.
    """
    from mission_control_tui.model.catalogue.file.parse import parse_file

    found = parse_file(
        file,
        connectors=session.settings.connector_names,
        stated={*session.settings.services, *session.settings.placement},
    )
    counts = {
        "products": len(found.products),
        "services": len(found.services),
        "levels": sum(len(service.levels) for service in found.services),
        "options": sum(len(service.options) for service in found.services),
    }
    from mission_control_tui.provisioning.kept import not_kept_by_any

    lost = asyncio.run(not_kept_by_any(found.services, session.settings))
    if session.printed({"file": str(file), "ok": True, **counts, "not_kept": lost}):
        return
    words = ", ".join(f"{number} {word}" for word, number in counts.items())
    line(f"{file} is a valid catalogue: {words}.")
    for entry in lost:
        line(f"not kept   {entry}")


@catalogue.command()
@_FILE
@reads("mission-control catalogue diff my-catalogue.toml")
def diff(session: Session, file: Path) -> None:
    """What loading this file would change, and which users that touches. Changes nothing.

    What is in use and would vanish is named under "refused"; such a file cannot be loaded.
    """
    from mission_control_tui.model.installation.catalogue_update import compare

    given = (session.caller, _read(file), str(file))
    found = session.run(
        lambda store: compare(store, *given, connectors=session.settings.connector_names)
    )
    if session.printed(
        {
            "in_force": found.number,
            "changes": [_change_json(touched) for touched in found.changes],
            "refused": found.refusals,
        }
    ):
        return
    if not found.changes:
        say(f"Nothing: version {found.number} is in force and says the same.")
    _print_changes(found.changes)
    for refusal in found.refusals:
        line(f"refused    {refusal}")


def _change_json(touched: TouchedChange) -> dict[str, object]:
    return {
        **attributes(touched.change, "kind", "path", "before", "after", "consequence"),
        "users": touched.users,
        "first_users": touched.first,
    }


def _print_changes(changed: Iterable[TouchedChange]) -> None:
    for touched in changed:
        change = touched.change
        line(f"{change.kind:<9}  {change.path}")
        if change.before or change.after:
            words = [part for part in (change.before, change.after) if part]
            line(f"{'':<11}{' -> '.join(words)}")
        if change.consequence:
            line(f"{'':<11}{change.consequence}")
        if touched.users:
            more = ", ..." if touched.users > len(touched.first) else ""
            line(f"{'':<11}touches {touched.users}: {', '.join(touched.first)}{more}")


@catalogue.command()
@_FILE
@changes("mission-control catalogue load my-catalogue.toml --dry-run --ticket T-100")
def load(session: Session, file: Path) -> None:
    """Put this file in force as the next version, for all accounts at once.

    Refused while anybody has what the file no longer has: withdraw it instead. Running consoles and workers follow by
    themselves.
    """
    from mission_control_tui.model.installation.catalogue_update import load as load_catalogue

    given = (session.caller, _read(file), str(file))
    connectors, dry_run = session.settings.connector_names, session.dry_run
    outcome = session.run(
        lambda store: load_catalogue(store, *given, connectors=connectors, dry_run=dry_run)
    )
    version, changed = outcome.result.number, outcome.result.changes
    told = [_change_json(touched) for touched in changed]
    tell(session, outcome, {"version": version, "changes": told})
    if outcome.applied and changed:
        say(f"Version {version} is in force.")


@catalogue.command()
@option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there."
)
@option(
    "--shipped",
    "name",
    type=click.Choice(SHIPPED),
    help="Instead of the one in force, one that comes with the program: default is the simulator's, real the one that "
    "`init --back-ends` goes with.",
)
@option("--force", is_flag=True, help="Also over a FILE that is there.")
@reads(
    "mission-control catalogue export > my-catalogue.toml",
    "mission-control catalogue export --out my-catalogue.toml",
)
def export(session: Session, out: Path | None, force: bool, name: str | None) -> None:
    """Write the catalogue in force as a file that `catalogue load` takes; the shipped one where none was loaded.

    The shipped catalogue comes with its comments. Of another, what the file says is kept, and its comments are not.
    """
    from mission_control_tui.model.catalogue.file.toml_text import as_toml
    from mission_control_tui.model.catalogue.in_force import current

    async def work(store: Store) -> InForce | None:
        try:
            return await current(store)
        except NotFound:
            return None

    found = None if name else session.run(work)
    text = shipped(name or DEFAULT) if found is None else as_toml(found.catalogue)
    if out is not None:
        _write(out, text, over=force)
    if session.json:
        written = {"file": out, "toml": None if out else text}
        print_json({"version": found.number if found else None, **written})
    elif out is None:
        click.echo(text, nl=False)
    else:
        say(f"Written to {out}.")


def _write(out: Path, text: str, *, over: bool) -> None:
    from mission_control_tui.model.store.private_files import path_named, write_at_once, write_over

    path = path_named(str(out))
    if over:
        write_over(path, text.encode())
        return
    try:
        write_at_once(path, text.encode())
    except Conflict as error:
        raise Conflict(error.what, hint="Choose another name, or add --force.") from error


@catalogue.command()
@argument("product", required=False)
@reads("mission-control catalogue show email")
def show(session: Session, product: str | None) -> None:
    """What is for sale: products, levels and prices; with PRODUCT also terms and the fields that it asks for."""
    from mission_control_tui.model.catalogue.in_force import current

    found = session.run(current)
    sold = found.catalogue
    products = [sold.product(product)] if product else list(sold.products)
    document = {
        "version": found.number,
        "currency": sold.currency,
        "tax": {"name": sold.tax_name, "basis_points": sold.tax_basis_points},
        "prices_are_examples": sold.prices_are_examples,
        "products": products,
    }
    if session.printed(document):
        return
    for shown in products:
        _print_product(sold, shown, in_full=product is not None)
    if sold.prices_are_examples:
        say("These prices are examples.")
    say(f"Catalogue version {found.number}; prices are without {sold.tax_name}.")


def _print_product(sold: Catalogue, product: Product, *, in_full: bool) -> None:
    withdrawn = " - withdrawn" if product.withdrawn else ""
    line(f"{product.name} ({product.id}), {sold.currency}{withdrawn}")
    priced: list[ProductLevel | Extension] = [*product.levels, *product.extensions]
    offered = [offer for offer in priced if in_full or not offer.withdrawn]
    terms = sorted({months for offer in offered for months in offer.prices})
    headings = [f"{months} MONTH{'S' * (months > 1)}" for months in terms]
    table(
        ("  ID", *headings, "NAME"),
        [
            (
                f"  {offer.id}",
                *(
                    _price(sold, offer.prices.get(months)).rjust(len(heading))
                    for months, heading in zip(terms, headings, strict=True)
                ),
                f"{offer.name}{' - withdrawn' if offer.withdrawn else ''}",
            )
            for offer in offered
        ],
    )
    line("")
    if not in_full:
        return
    for field in product.fields:
        line(f"  --set {field.id}=...{'  (required)' if field.required else ''}")
        words = ". ".join(part.rstrip(".") for part in (field.name, field.help) if part)
        wrapped(" " * 8, f"{words}. {field.expected[:1].upper()}{field.expected[1:]}.", 8)
    if product.fields:
        line("")


def _price(sold: Catalogue, minor: int | None) -> str:
    return "" if minor is None else sold.money(minor).format(code=False)


def _read(file: Path) -> str:
    """Return the file's text; what is wrong with its bytes is said as `check` says it."""
    from mission_control_tui.model.catalogue.file.parse import parse, text_in

    text = text_in(file)
    parse(text, str(file))
    return text
