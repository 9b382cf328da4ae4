"""The stylesheet of the application."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class ParsedOnceStylesheet(Stylesheet):
    """Parses each source once for as long as the theme's variables stay: Textual parses all again for each new one."""

    def set_variables(self, variables: dict[str, str]) -> None:
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        self.parse()
