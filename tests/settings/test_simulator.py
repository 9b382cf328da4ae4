"""Each SQLite database has a simulator of its own, unless the settings say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_control_tui.settings.settings import load, locations


def test_a_database_of_ones_own_has_a_simulator_beside_it(tmp_path: Path) -> None:
    one, other = (load(flags={"database": str(tmp_path / name)}) for name in ("a.db", "b.db"))
    assert one.connectors["simulator"]["path"] == str(tmp_path / "a.db.simulator")
    assert other.connectors["simulator"]["path"] != one.connectors["simulator"]["path"]


@pytest.mark.parametrize("database", ["", "postgresql://mc@db.example/mc"])
def test_elsewhere_the_default_of_the_simulator_stays(database: str) -> None:
    assert "path" not in load(flags={"database": database}).connectors.get("simulator", {})


def test_the_default_database_named_in_full_keeps_the_default_simulator() -> None:
    named = load(flags={"database": str(locations().database)})
    assert "simulator" not in named.connectors


def test_a_path_in_the_settings_wins(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[connectors.simulator]\npath = "/srv/simulator.db"\n')
    settings = load(file, {"database": str(tmp_path / "a.db")})
    assert settings.connectors["simulator"]["path"] == "/srv/simulator.db"
