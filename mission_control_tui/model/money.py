"""Money as integer minor units with an ISO 4217 currency; tax is rounded half up on each line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mission_control_tui.model.errors import InvalidInput, Problem

# ISO 4217 (list one): the currencies whose minor unit is not a hundredth.
_UNUSUAL_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

_WHOLE_BASIS_POINTS = 10_000
_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d+))?", re.ASCII)


def minor_digits(currency: str) -> int:
    """Return how many decimals `currency` (an ISO 4217 code) has."""
    return _UNUSUAL_DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units (cents) of one currency. Mixing currencies is a programming error: ValueError."""

    minor: int
    currency: str

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Money:
        """Return the sum of `amounts`, which may be none at all."""
        return sum(amounts, cls(0, currency))

    @classmethod
    def parse(cls, typed: str, currency: str, *, where: str = "amount") -> Money:
        """What somebody typed: "1,234.50", "AUD 500"; no more decimals than the currency has. Raises InvalidInput."""
        text = typed.strip().upper().removeprefix(currency).strip().replace(",", "")
        digits = minor_digits(currency)
        found = _AMOUNT.fullmatch(text)
        if found is None or len(found[2] or "") > digits:
            example = cls(123450, currency).format(code=False).replace(",", "")
            raise InvalidInput(
                "That is no amount of money.",
                problems=[Problem(where, f"it is no amount in {currency}", f"as in {example}")],
            )
        return cls(int(found[1] + (found[2] or "").ljust(digits, "0")), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.minor * quantity, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return self.format()

    def share(self, basis_points: int) -> Money:
        """`basis_points` ten-thousandths of this amount, rounded half away from zero to a minor unit.

        This is how tax is taken: once a line, on the line's net amount, so that the lines of an
        order add up to its total.
        """
        scaled = abs(self.minor) * basis_points
        rounded = (2 * scaled + _WHOLE_BASIS_POINTS) // (2 * _WHOLE_BASIS_POINTS)
        return Money(rounded if self.minor >= 0 else -rounded, self.currency)

    def format(self, *, code: bool = True) -> str:
        """For people: "AUD 1,234.50", "JPY 500", "AUD -3.00"; without `code` only the number."""
        digits = minor_digits(self.currency)
        whole, part = divmod(abs(self.minor), 10**digits)
        number = f"{'-' if self.minor < 0 else ''}{whole:,}"
        if digits:
            number += f".{part:0{digits}d}"
        return f"{self.currency} {number}" if code else number

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other.minor
