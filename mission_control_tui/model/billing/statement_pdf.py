"""A statement as a PDF of A4 pages. ReportLab and the font, the extra `[pdf]`, are loaded only here.

Latin, Greek, Cyrillic and Devanagari come from Noto Sans, which is embedded; Chinese, Japanese and Korean from fonts
that PDF viewers have for them. A sign of any other script is drawn as a question mark, and the statement says so.
"""

from __future__ import annotations

import io
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from mission_control_tui.model.billing.statement_text import quantity_words, remarks, title
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.model.text.clean import harmless

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

    from mission_control_tui.model.billing.statements import Statement

PAGE = (595, 842)
LEFT, RIGHT, TOP, BOTTOM = 50, 545, 790, 60
SIZE, LEADING = 9, 14
COLUMNS = (400, 465, RIGHT)
"""Where the amounts end: net, tax, total."""

NOTO = "NotoSans"
CJK = (
    ("HYGothic-Medium", ("HANGUL",)),
    ("HeiseiKakuGo-W5", ("HIRAGANA", "KATAKANA", "CJK", "FULLWIDTH", "IDEOGRAPHIC")),
)
"""Fonts of viewers by how the Unicode names of their signs begin."""

UNKNOWN = "?"
LOST = "Signs that this PDF has no font for are drawn as ?; text and CSV have them."


@cache
def _glyphs() -> frozenset[int]:
    """Register the fonts; returns the code points that Noto Sans has."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    with as_file(files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf") as path:
        font = TTFont(NOTO, str(path))
    pdfmetrics.registerFont(font)
    for name, _scripts in CJK:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return frozenset(font.face.charToGlyph)


def runs(text: str) -> list[tuple[str, str]]:
    """Return `text` in pieces of one font each, as (font, piece); what no font has is a question mark."""
    glyphs = _glyphs()
    found: list[tuple[str, str]] = []
    for char in unicodedata.normalize("NFC", harmless(text)):
        font, sign = _font_of(char, glyphs)
        if found and found[-1][0] == font:
            found[-1] = (font, found[-1][1] + sign)
        else:
            found.append((font, sign))
    return found


def _font_of(char: str, glyphs: frozenset[int]) -> tuple[str, str]:
    if ord(char) in glyphs:
        return NOTO, char
    name = unicodedata.name(char, "")
    for font, scripts in CJK:
        if ord(char) < 0x10000 and name.startswith(scripts):
            return font, char
    return NOTO, UNKNOWN


def as_pdf(statement: Statement) -> bytes:
    """Return the statement as PDF, the same bytes each time. Raises MissionControlError where a library is missing."""
    try:
        from reportlab.pdfgen.canvas import Canvas

        _glyphs()
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        raise MissionControlError(
            f"A PDF needs {library}, which is not installed here (.csv and .txt do not).",
            hint=f"Install it: {sys.executable} -m pip install 'mission-control-tui[pdf]'",
        ) from error
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=PAGE, invariant=1)
    canvas.setTitle(f"Statement {statement.period} ({statement.account_code})")
    _Pages(canvas, statement).draw()
    canvas.save()
    return out.getvalue()


class _Pages:
    """Lines from the top of a page to its end, then the next page."""

    def __init__(self, canvas: Canvas, statement: Statement) -> None:
        self._canvas = canvas
        self._statement = statement
        self._y: float = TOP
        self._page = 1
        self._lost = False

    def draw(self) -> None:
        statement = self._statement
        self._wrapped(title(statement), size=15, leading=20)
        self._y -= 8
        for said in remarks(statement):
            self._wrapped(said)
        self._y -= LEADING
        self._heading()
        for line in statement.lines:
            self._room(2)
            self._wrapped(f"{line.day}  {line.label}")
            unit = line.unit.format(code=False)
            self._text(
                quantity_words(line.quantity, line.not_billed, unit),
                left=LEFT + 60,
                amounts=[amount.format(code=False) for amount in (line.net, line.tax, line.total)],
            )
        if not statement.lines:
            self._text("Nothing was charged.")
        for sums in statement.sums:
            self._room(5)
            self._rule()
            self._text(f"Net ({sums.net.currency})", amounts=["", "", sums.net.format()])
            self._text(statement.tax_label, amounts=["", "", sums.tax.format()])
            self._text("Total", size=11, amounts=["", "", sums.total.format()])
        if self._lost:
            self._wrapped(LOST)
        self._foot()

    def _heading(self) -> None:
        self._text("What", amounts=["Net", "Tax", "Total"])
        self._rule()

    def _rule(self) -> None:
        self._canvas.setLineWidth(0.5)
        self._canvas.line(LEFT, self._y + LEADING - 4, RIGHT, self._y + LEADING - 4)
        self._y -= 4

    def _room(self, lines: int) -> None:
        if self._y - lines * LEADING < BOTTOM:
            self._foot()
            self._canvas.showPage()
            self._page += 1
            self._y = TOP
            self._heading()

    def _foot(self) -> None:
        self._canvas.setFont(NOTO, 8)
        self._canvas.drawRightString(
            RIGHT, BOTTOM - 24, f"{self._statement.period}, page {self._page}"
        )

    def _text(
        self,
        text: str,
        *,
        left: float = LEFT,
        size: float = SIZE,
        leading: float = LEADING,
        amounts: Iterable[str] = (),
    ) -> None:
        x = left
        for font, piece in runs(text):
            self._canvas.setFont(font, size)
            self._canvas.drawString(x, self._y, piece)
            x += self._canvas.stringWidth(piece, font, size)
        self._lost = self._lost or _loses(text)
        self._canvas.setFont(NOTO, size)
        for amount, right in zip(amounts, COLUMNS, strict=False):
            self._canvas.drawRightString(right, self._y, amount)
        self._y -= leading

    def _wrapped(self, text: str, *, size: float = SIZE, leading: float = LEADING) -> None:
        """Draw `text` on as many lines as it needs, broken where it must be."""
        line = ""
        for word in harmless(text).split(" "):
            for piece in self._pieces(word, size):
                longer = f"{line} {piece}" if line else piece
                if line and self._width(longer, size) > RIGHT - LEFT:
                    self._room(1)
                    self._text(line, size=size, leading=leading)
                    longer = piece
                line = longer
        self._room(1)
        self._text(line, size=size, leading=leading)

    def _pieces(self, word: str, size: float) -> list[str]:
        pieces = [word]
        while self._width(pieces[-1], size) > RIGHT - LEFT:
            last = pieces.pop()
            cut = len(last) - 1
            while cut > 1 and self._width(last[:cut], size) > RIGHT - LEFT:
                cut -= 1
            pieces += [last[:cut], last[cut:]]
        return pieces

    def _width(self, text: str, size: float) -> float:
        return sum(float(self._canvas.stringWidth(piece, font, size)) for font, piece in runs(text))


def _loses(text: str) -> bool:
    return sum(piece.count(UNKNOWN) for _font, piece in runs(text)) > text.count(UNKNOWN)
