"""What a purchase costs: one line a product level, tax rounded half up on each line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mission_control_tui.model.catalogue.types import Catalogue, Product, PurchaseKind
from mission_control_tui.model.catalogue.values import InvalidValue
from mission_control_tui.model.catalogue.values import domain as domain_name
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from mission_control_tui.model.money import Money
from mission_control_tui.model.text import limits
from mission_control_tui.model.text.counting import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One line of an order: labels and prices are copies, so that it outlives the catalogue."""

    product_id: str
    level_id: str
    service_id: str
    service_level: str
    label: str
    quantity: int
    term: int
    domain: str
    unit: Money
    net: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Lines with their sums. `tax_label` reads "GST 10 %"."""

    lines: tuple[QuoteLine, ...]
    net: Money
    tax: Money
    total: Money
    tax_label: str
    prices_are_examples: bool

    def __add__(self, other: Quote) -> Quote:
        """One quote with the lines of both."""
        return replace(
            self,
            lines=self.lines + other.lines,
            net=self.net + other.net,
            tax=self.tax + other.tax,
            total=self.total + other.total,
        )


def quote(
    catalogue: Catalogue,
    product: str,
    level: str | None = None,
    *,
    quantity: int = 1,
    term: int | None = None,
    domain: str | None = None,
) -> Quote:
    """Return what `quantity` of a product's level costs for `term` months (the shortest where None).

    `product` and `level` are ids or names; the level may be left out where only one is sold.
    NotFound for an unknown product; InvalidInput with every other problem at once.
    """
    sold = catalogue.product(product)
    problems: list[Problem] = []
    if sold.withdrawn:
        problems.append(Problem("product", f"{sold.name} is no longer sold"))
    bought = _level(sold, level, problems)
    months = _term(sold, term, problems)
    if not sold.min_quantity <= quantity <= sold.max_quantity:
        what = f"{quantity} is outside {sold.min_quantity} to {sold.max_quantity}"
        problems.append(Problem("quantity", what, "give a quantity in that range"))
    elif bought is not None and quantity > 1 and catalogue.is_one_per_account(sold.level(bought)):
        what = f"{quantity} are too many: it is the account's own, which has one"
        problems.append(Problem("quantity", what, "give 1"))
    name = _domain(sold, domain, problems)
    if problems or bought is None:
        raise InvalidInput(f"{sold.name} cannot be bought like this.", problems=problems)

    granted = sold.level(bought)
    priced = sold.extension_of(name) if sold.buys is PurchaseKind.DOMAIN else granted
    unit = catalogue.money(priced.prices[months])
    net = unit * quantity
    tax = net.share(catalogue.tax_basis_points)
    if net.minor + tax.minor > limits.NUMBER:
        what = f"{quantity} of them cost more than one order can come to"
        bad = Problem("quantity", what, "give a smaller quantity")
        raise InvalidInput(f"{sold.name} cannot be bought like this.", problems=[bad])
    sums = {"net": net, "tax": tax, "total": net + tax}
    about = f" for {name}" if name else ""
    line = QuoteLine(
        product_id=sold.id,
        level_id=granted.id,
        service_id=granted.grants_service,
        service_level=granted.grants_level,
        label=f"{sold.name}: {granted.name}{about}, {term_words(months)}",
        quantity=quantity,
        term=months,
        domain=name,
        unit=unit,
        **sums,
    )
    return Quote(
        lines=(line,),
        **sums,
        tax_label=tax_label(catalogue),
        prices_are_examples=catalogue.prices_are_examples,
    )


def tax_label(catalogue: Catalogue) -> str:
    """Return the tax for people: "GST 10 %", "VAT 7.5 %"."""
    whole, part = divmod(catalogue.tax_basis_points, 100)
    rate = f"{whole}.{part:02d}".rstrip("0") if part else str(whole)
    return f"{catalogue.tax_name} {rate} %"


def term_words(count: int) -> str:
    """Months for people: "1 month", "2 years"."""
    if count % 12 == 0:
        return counted(count // 12, "year")
    return counted(count, "month")


def _level(product: Product, key: str | None, problems: list[Problem]) -> str | None:
    on_sale = [level for level in product.levels if not level.withdrawn]
    if key is None:
        if len(on_sale) == 1:
            return on_sale[0].id
        names = ", ".join(f"{level.id} ({level.name})" for level in on_sale)
        problems.append(Problem("level", "a level must be chosen", f"There are: {names}."))
        return None
    try:
        found = product.level(key)
    except NotFound as error:
        problems.append(Problem("level", error.what, error.hint))
        return None
    if found.withdrawn:
        names = ", ".join(level.name for level in on_sale)
        problems.append(Problem("level", f"{found.name} is no longer sold", f"Choose: {names}."))
    return found.id


def _term(product: Product, term: int | None, problems: list[Problem]) -> int:
    if term is None:
        return min(product.terms)
    if term not in product.terms:
        choices = ", ".join(str(months) for months in product.terms)
        what = f"{product.name} is not sold for {counted(term, 'month')}"
        problems.append(Problem("term", what, f"Terms in months: {choices}."))
    return term


def _domain(product: Product, given: str | None, problems: list[Problem]) -> str:
    """Return the domain to copy into the line; checked against the extensions where a domain is bought."""
    if not given:
        if product.buys is PurchaseKind.DOMAIN:
            problems.append(Problem("domain", "a domain name is needed", "give its full name"))
        return ""
    try:
        name = domain_name(given)
    except InvalidValue as refused:
        problems.append(Problem("domain", refused.what, refused.hint))
        return ""
    if product.buys is PurchaseKind.DOMAIN:
        try:
            extension = product.extension_of(name)
        except NotFound as error:
            problems.append(Problem("domain", error.what, error.hint))
            return name
        if extension.withdrawn:
            problems.append(Problem("domain", f"{extension.name} is no longer sold"))
        elif name.removesuffix(extension.name).count("."):
            what = f"{name} has more than one label before {extension.name}"
            problems.append(Problem("domain", what, "buy the name directly below the ending"))
    return name
