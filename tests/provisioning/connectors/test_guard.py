"""Somebody else's code behind the guard: whatever it does ends its own call alone, named, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mission_control_tui.connect import (
    CAPABILITIES,
    Applied,
    ChangePlan,
    ConnectorError,
    Context,
    Declaration,
    DesiredState,
    ErrorKind,
    FenceGrade,
    Health,
    ObservedState,
    Page,
    Pending,
    Step,
    Usage,
    plan_difference,
)
from mission_control_tui.model.errors import MissionControlError
from mission_control_tui.provisioning import registry
from mission_control_tui.provisioning.guard import Guarded
from mission_control_tui.provisioning.registry import opened
from tests.provisioning.connectors.support import wish

CALLS = ("check", "observe", "plan", "apply", "list")
Deed = Callable[[], Any]


class Rogue:
    """Does `deed` in the method `where`, and is a decent connector otherwise."""

    declares = Declaration(capabilities=CAPABILITIES, fence=FenceGrade.LOCKED, starts_enabled=True)

    def __init__(self, where: str, deed: Deed) -> None:
        self._where, self._deed = where, deed

    def _do(self, where: str) -> Any:
        return self._deed() if where == self._where else None

    async def check(self) -> Health:
        return self._do("check") or Health("1")

    async def observe(self, desired: DesiredState) -> ObservedState:
        return self._do("observe") or ObservedState(exists=False)

    def plan(self, desired: DesiredState, observed: ObservedState) -> ChangePlan:
        return self._do("plan") or plan_difference(desired, observed, self.declares)

    async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Any:
        return self._do("apply")

    async def list(self, cursor: str, marked_only: bool) -> Page:
        return self._do("list") or Page(())

    async def aclose(self) -> None:
        self._do("aclose")


async def guard(where: str, deed: Deed, seconds: float = 30.0) -> Guarded:
    async def create(context: Context) -> Rogue:
        return Rogue(where, deed)

    return await opened(Context("mail", {}, "here"), "rogue", lambda: create, seconds)


async def call(guarded: Guarded, where: str) -> object:
    if where == "check":
        return await guarded.check()
    if where == "list":
        return [row async for row in guarded.list()]
    observed = ObservedState(exists=False)
    if where == "apply":
        made = plan_difference(wish("a"), observed, Rogue.declares)
        return await guarded.apply(wish("a"), made, made.steps[0])
    return await guarded.look(wish("a"))


def _same(answer: object) -> object:
    return answer


def raises(error: BaseException) -> Deed:
    def deed() -> None:
        raise error

    return deed


@pytest.mark.parametrize("where", CALLS)
async def test_whatever_it_raises_names_connector_and_kind_and_ends_that_call_alone(
    where: str,
) -> None:
    for error in (
        ValueError("odd"),
        SystemExit(3),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        GeneratorExit(),
    ):
        guarded = await guard(where, raises(error))
        with pytest.raises(ConnectorError) as caught:
            await call(guarded, where)
        assert caught.value.kind is ErrorKind.TRANSIENT
        assert caught.value.code == type(error).__name__
        assert "Connector mail (rogue): " in caught.value.said
        assert type(error).__name__ in caught.value.said
        assert caught.value.outcome_unknown is (where == "apply")
        # The connector goes on, and so does everybody else.
        assert (await guarded.check()).version == "1" if where != "check" else True
        await guarded.aclose()


@pytest.mark.parametrize("where", CALLS)
async def test_what_it_answers_instead_of_the_protocols_types_is_its_error(where: str) -> None:
    for answer in ("text", 7, ["x"], object(), Health(version=7)):  # type: ignore[arg-type]
        guarded = await guard(where, partial(_same, answer))
        with pytest.raises(ConnectorError, match="Connector mail") as caught:
            await call(guarded, where)
        assert caught.value.code == "WrongType"
        await guarded.aclose()


async def test_numbers_that_nobody_could_wait_for_or_store_are_its_error() -> None:
    for where, answer in (
        ("apply", Applied(look_again_after="soon")),  # type: ignore[arg-type]
        ("apply", Applied(look_again_after=math.nan)),
        ("observe", ObservedState(True, pending=Pending(progress="half"))),  # type: ignore[arg-type]
        ("observe", ObservedState(True, pending=Pending(look_again_after=math.inf))),
        ("observe", ObservedState(True, usage={"mailbox": Usage(math.nan)})),
        ("observe", ObservedState(True, usage={"mailbox": Usage(1.0, "much")})),  # type: ignore[arg-type]
    ):
        guarded = await guard(where, partial(_same, answer))
        with pytest.raises(ConnectorError) as caught:
            await call(guarded, where)
        assert caught.value.code == "WrongType"
        await guarded.aclose()
    asks = ConnectorError(ErrorKind.THROTTLED, "slower", retry_after=math.nan)
    guarded = await guard("observe", raises(asks))
    with pytest.raises(ConnectorError) as caught:
        await call(guarded, "observe")
    assert caught.value.retry_after is None
    await guarded.aclose()


@pytest.mark.parametrize("where", CALLS)
async def test_a_blocking_call_has_its_time_limit_and_the_loop_goes_on(where: str) -> None:
    guarded = await guard(where, lambda: time.sleep(1.5), 0.3)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    heart = asyncio.create_task(beat())
    begun = time.monotonic()
    with pytest.raises(ConnectorError, match=r"no answer within 0\.3") as caught:
        await call(guarded, where)
    assert time.monotonic() - begun < 1.4
    assert beats > 5
    heart.cancel()
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert caught.value.outcome_unknown is (where == "apply")
    await asyncio.sleep(1.5)
    if where != "check":
        assert (await guarded.check()).version == "1"
    await guarded.aclose()


async def test_what_it_prints_is_in_the_log(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, logger="mission_control_tui")
    guarded = await guard("check", lambda: print("hello\nfrom", "\x1b[2Jmail"))  # noqa: T201
    await guarded.check()
    print("our own")  # noqa: T201
    assert capsys.readouterr().out == "our own\n"
    assert "connector mail prints: hello" in caplog.text
    assert "\x1b" not in caplog.text
    await guarded.aclose()


SECRET, OWN, PASSWORD = "Pe-pper/77 salt", "token-in-the-table", "Correct-Horse-77"


def _talks(context: Context) -> Rogue:
    """A connector that says all that it knows: in errors, plans and prints, on both streams."""
    found = context.reader().secret("password")
    assert found is not None
    secret = found

    class Talks(Rogue):
        async def check(self) -> Health:
            said = f"{secret.read()} {quote(secret.read())} {OWN} s3cret-in-url"
            print(said)  # noqa: T201
            print(said, file=sys.stderr)  # noqa: T201
            return Health("1", said, (said,))

        async def apply(self, desired: DesiredState, plan: ChangePlan, step: Step) -> Any:
            print(desired.secret, file=sys.stderr)  # noqa: T201
            raise ValueError(f"{desired!r} {desired.secret} {secret.read()}")

    return Talks("", lambda: None)


async def test_no_secret_that_it_was_given_is_in_its_words_or_the_log(
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("TEST_PEPPER", SECRET)
    table = {
        "password_env": "TEST_PEPPER",
        "api_token": OWN,
        "url": "https://user:s3cret-in-url@mail.example/x",
    }

    async def create(context: Context) -> Rogue:
        return _talks(context)

    context = Context("mail", table, "here")
    guarded = await opened(context, "rogue", lambda: create)
    health = await guarded.check()
    desired = replace(wish("a"), secret=PASSWORD)
    plan = plan_difference(desired, ObservedState(exists=False), Rogue.declares)
    with pytest.raises(ConnectorError) as caught:
        await guarded.apply(desired, plan, plan.steps[0])
    await guarded.aclose()
    asks = ValueError(f"no {OWN}, no {SECRET}")

    async def refuses(context: Context) -> Rogue:
        raise asks

    with pytest.raises(MissionControlError) as unopened:
        await opened(Context("mail", table, "here"), "rogue", lambda: refuses)
    told = "".join(traceback.format_exception(caught.value))
    told += "".join(traceback.format_exception(unopened.value))
    told += caplog.text + "".join(capsys.readouterr()) + repr(health) + caught.value.said
    for secret in (SECRET, quote(SECRET), OWN, PASSWORD, "s3cret-in-url"):
        assert secret not in told, secret
    assert "[password]" in caught.value.said
    assert "connector mail prints: [secret]" in caplog.text


@pytest.mark.parametrize(
    "deed", [raises(SystemExit(2)), raises(asyncio.CancelledError()), lambda: time.sleep(0.5)]
)
async def test_closing_ends_however_it_behaves(deed: Deed) -> None:
    guarded = await guard("aclose", deed, 0.1)
    begun = time.monotonic()
    await guarded.aclose()
    await guarded.aclose()
    assert time.monotonic() - begun < 3.0


async def test_pages_without_an_end_are_found_out() -> None:
    guarded = await guard("list", lambda: Page((), "again"))
    with pytest.raises(ConnectorError, match="have no end"):
        await call(guarded, "list")
    await guarded.aclose()


BROKEN = {
    "syntax": ("def create(:", "SyntaxError"),
    "leaves": ("import sys; sys.exit(3)", "SystemExit"),
    "raises": (
        "async def create(context): raise FileNotFoundError(2, 'No such file', '/ca.pem')",
        "/ca.pem",
    ),
    "cancelled": (
        "import asyncio\nasync def create(context): raise asyncio.CancelledError",
        "CancelledError",
    ),
    "hangs": ("import time; time.sleep(0.7)", "does not open within 0.2 seconds"),
    "waits": (
        "import asyncio\nasync def create(context): await asyncio.sleep(60)",
        "does not open within 0.2 seconds",
    ),
    "nothing": ("async def create(context): return None", "WrongType"),
    "plain": ("def create(context): return 3", "TypeError"),
    "missing": ("import no_such_module", "no_such_module"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_cannot_be_opened_is_an_error_that_names_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, words = BROKEN[name]
    module = f"rogue_{name}"
    (tmp_path / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("rogue", f"{module}:create", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(MissionControlError) as caught:
        await registry.load("mail", {"type": "rogue", "timeout": 0.2}, "here")
    assert "mail (rogue)" in caught.value.what
    assert words in caught.value.what
    assert caught.value.hint
