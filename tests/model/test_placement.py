"""Which connector the rule of a placement chooses, whatever the loads are."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.placement import Placement, PlacementLoad, PlacementRule

MAILS = ("mail-1", "mail-2", "mail-3")
some = st.frozensets(st.sampled_from(MAILS))
counts = st.dictionaries(st.sampled_from(MAILS), st.integers(0, 20))
placements = st.builds(
    Placement,
    st.just(MAILS),
    st.sampled_from(PlacementRule),
    closed=some,
    most=st.dictionaries(st.sampled_from(MAILS), st.integers(1, 20)),
    observing=some,
)


@given(placements, st.builds(PlacementLoad, counts, counts, some))
def test_one_is_chosen_that_takes_more_and_none_only_where_none_does(
    placement: Placement, load: PlacementLoad
) -> None:
    takes = [each for each in MAILS if not placement.refusal(each, load)]
    chosen = placement.choose(load)
    if not takes:
        assert chosen is None
        return
    assert chosen in takes
    able = [each for each in takes if each not in placement.observing | {*load.paused}]
    own = placement.rule is PlacementRule.ACCOUNT and any(load.own.get(each) for each in takes)
    if able and not own:
        assert chosen in able
    if own:
        assert load.own.get(chosen)


@given(st.dictionaries(st.sampled_from(MAILS), st.integers(1, 4)), st.integers(0, 60))
def test_the_fewest_are_shared_out_by_the_weights(weights: dict[str, int], number: int) -> None:
    placement = Placement(MAILS, weights=weights)
    there = Counter[str]()
    for _ in range(number):
        there[placement.choose(PlacementLoad(there)) or ""] += 1
    parts = [there[each] / weights.get(each, 1) for each in MAILS]
    assert max(parts) - min(parts) <= 1


def test_the_first_is_filled_and_then_the_next() -> None:
    placement = Placement(MAILS, PlacementRule.FIRST, most={"mail-1": 2, "mail-2": 1})
    there = Counter[str]()
    for _ in range(5):
        there[placement.choose(PlacementLoad(there)) or ""] += 1
    assert there == {"mail-1": 2, "mail-2": 1, "mail-3": 2}


def test_an_account_stays_together_even_where_its_own_is_paused() -> None:
    placement = Placement(MAILS, PlacementRule.ACCOUNT)
    load = PlacementLoad({"mail-1": 9, "mail-2": 1}, {"mail-1": 9}, {"mail-1"})
    assert placement.choose(load) == "mail-1"
    assert placement.choose(PlacementLoad(load.counts)) == "mail-3"
