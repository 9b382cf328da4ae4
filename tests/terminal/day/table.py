"""The table of the day: keys per kind of ticket beside the clicks and fields of the web screens."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.terminal.day.play import Played
from tests.terminal.day.tickets import KINDS
from tests.terminal.day.web import cost

HEAD = (
    f"{'kind of ticket':<40}{'n':>3}{'keys':>6}{'worst':>7}{'most':>6}{'typed':>7}"
    f"{'clicks':>8}{'fields':>8}{'both':>6}"
)


def table(played: Sequence[Played]) -> list[str]:
    """One line a kind: count, keys (median, worst, the most allowed), characters typed, the web's clicks and fields.

    An asterisk marks recipes of the web that are inferred and not in the article.
    """
    lines = [HEAD, "-" * len(HEAD)]
    for kind in KINDS:
        found = [one.count for one in played if one.ticket.kind == kind.name]
        if not found:
            continue
        web = cost(kind.name)
        keys = [one.keys for one in found]
        typed = [one.typed for one in found]
        title = kind.title if web.described else f"{kind.title} *"
        lines.append(
            f"{title:<40}{len(found):>3}{median(keys):>6.0f}{max(keys):>7}{kind.most:>6}"
            f"{median(typed):>7.0f}{web.clicks:>8}{web.fields:>8}{web.clicks + web.fields:>6}"
        )
    keys_of_all = sum(one.count.keys for one in played)
    typed_of_all = sum(one.count.typed for one in played)
    clicks = sum(cost(one.ticket.kind).clicks for one in played)
    fields = sum(cost(one.ticket.kind).fields for one in played)
    lines += [
        "-" * len(HEAD),
        (
            f"{'the whole day':<40}{len(played):>3}{keys_of_all:>6}{'':>7}{'':>6}{typed_of_all:>7}"
            f"{clicks:>8}{fields:>8}{clicks + fields:>6}"
        ),
    ]
    return lines
