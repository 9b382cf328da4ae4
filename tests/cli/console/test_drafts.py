"""`drafts`: one's own, shown harmlessly, forgotten on request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mission_control_tui.model.caller import Caller
from mission_control_tui.model.operators.drafts import save_draft
from mission_control_tui.model.store.database import Store
from mission_control_tui.model.store.scope import AccountScope
from tests.cli.inprocess import answer, call, ok


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MISSION_CONTROL_NO_WORKER", "1")
    monkeypatch.setenv("MISSION_CONTROL_DATABASE", str(tmp_path / "store.db"))
    ok("init", "--name", "Acme", "--code", "acme", "--domain", "acme.example")


def keep(content: Mapping[str, Any], operator: str | None = None) -> None:
    async def work() -> None:
        store = await Store.open(os.environ["MISSION_CONTROL_DATABASE"])
        caller = Caller(operator) if operator else Caller.from_operating_system()
        await save_draft(
            AccountScope(store, caller, "acme"), "new-user", content, title="Ada \x1b[31m"
        )
        await store.close()

    asyncio.run(work())


def test_list_show_discard() -> None:
    assert "no drafts" in ok("drafts", "list").err
    keep({"upn": "ada@acme.example\x1b]0;x\x07", "password": "Kp7m-xR4w"})
    keep({"upn": "bob"}, operator="somebody else")
    (draft,) = answer("drafts", "list")["drafts"]
    assert (draft["account_code"], draft["kind"]) == ("acme", "new-user")
    told = ok("drafts", "list").out + ok("drafts", "show", str(draft["id"])).out
    assert "ada@acme.example" in told
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "Kp7m" not in told
    assert answer("drafts", "discard", str(draft["id"])) == {"discarded": draft["id"]}
    assert call("drafts", "show", str(draft["id"])).code == 4
    assert call("drafts", "discard", str(draft["id"])).code == 4
