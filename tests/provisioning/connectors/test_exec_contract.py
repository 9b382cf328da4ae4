"""The promises of the protocol, kept by `exec` with a program that knows nothing of Mission Control's code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mission_control_tui.testing.connectors import ConnectorContract
from tests.provisioning.connectors import json_objects
from tests.provisioning.connectors.json_back_end import JsonBackEnd


@pytest.mark.proof
class TestExec(ConnectorContract):
    @pytest.fixture
    def back_end(self, tmp_path: Path) -> JsonBackEnd:
        file = tmp_path / "objects.json"
        program = [sys.executable, "-IS", json_objects.__file__, str(file)]
        return JsonBackEnd(file, {"type": "exec", "program": program})
