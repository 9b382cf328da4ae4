"""Waits and rates, with their clock and their chance given."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.connect import ConnectorError
from mission_control_tui.model.states import ErrorKind
from mission_control_tui.provisioning.rate_limits import (
    LONGEST_PENDING_SECONDS,
    LONGEST_RETRY_AFTER,
    RateLimits,
    pending_delay,
    retry_delay,
)
from mission_control_tui.settings.settings import ConnectorSettings, WorkerSettings

WORKER = WorkerSettings(
    retry_first_seconds=1.0, retry_cap_seconds=60.0, slots=16, interactive_slots=4
)
TRANSIENT = ConnectorError(ErrorKind.TRANSIENT, "no answer")


def test_waits_double_up_to_the_cap_and_are_spread_over_all_of_it() -> None:
    rng = random.Random(7)
    for failures, longest in enumerate((1, 2, 4, 8, 16, 32, 60, 60, 60)):
        waits = [retry_delay(failures, TRANSIENT, WORKER, rng) for _ in range(400)]
        assert 0 <= min(waits) < longest * 0.05
        assert longest * 0.95 < max(waits) <= longest


@given(st.integers(0, 10_000), st.floats(0, 1e9))
def test_no_wait_is_longer_than_what_was_asked_for_and_the_cap(failures: int, asked: float) -> None:
    error = ConnectorError(ErrorKind.THROTTLED, "slower", retry_after=asked)
    wait = retry_delay(failures, error, WORKER, random.Random(1))
    assert min(asked, LONGEST_RETRY_AFTER) <= wait <= min(asked, LONGEST_RETRY_AFTER) + 60


def test_what_is_pending_is_looked_at_less_and_less_often() -> None:
    assert pending_delay(0.0, WORKER) == 1.0
    assert pending_delay(40.0, WORKER) == 10.0
    assert pending_delay(1e6, WORKER) == LONGEST_PENDING_SECONDS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.floats(0.1, 40.0),
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 10)), max_size=60),
    st.integers(1, 3),
)
def test_a_rate_holds_over_any_window(
    rate: float, asks: list[tuple[float, int]], workers: int
) -> None:
    clock = Clock()
    limits = RateLimits(
        WORKER, lambda _: ConnectorSettings(type="simulator", rate_per_second=rate), clock
    )
    limits.workers = workers
    starts: list[float] = []
    for pause, wanted in asks:
        clock.now += pause
        for _ in range(min(wanted, limits.starts_left("simulator"))):
            limits.called("simulator")
            starts.append(clock.now)
    share = rate / workers
    window, limit = (1.0, max(1, int(share))) if share >= 1 else (1 / share, 1)
    for begin in starts:
        assert sum(begin <= start < begin + window for start in starts) <= limit


def test_at_the_limit_the_next_start_is_known() -> None:
    clock = Clock()
    limits = RateLimits(
        WORKER, lambda _: ConnectorSettings(type="simulator", rate_per_second=2.0), clock
    )
    assert limits.next_start() is None
    limits.called("simulator")
    clock.now = 0.4
    limits.called("simulator")
    assert limits.starts_left("simulator") == 0
    wait = limits.next_start()
    assert wait is not None
    assert abs(wait - 0.6) < 1e-9
    clock.now = 1.0
    assert (limits.starts_left("simulator"), limits.next_start()) == (1, None)


def test_bulk_leaves_a_share_of_every_connector_to_people() -> None:
    for concurrency, for_bulk in ((8, 6), (4, 3), (2, 1), (1, 1)):
        settings = ConnectorSettings(type="x", concurrency=concurrency)
        limits = RateLimits(WORKER, {"x": settings}.__getitem__)
        assert limits.concurrency("x", bulk=False) == concurrency
        assert limits.concurrency("x", bulk=True) == for_bulk
