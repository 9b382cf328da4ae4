"""How a service's instance is named."""

from __future__ import annotations

import pytest

from mission_control_tui.model.text.instances import with_instance


@pytest.mark.parametrize(
    ("instance", "said"),
    [("", "databases"), ("crm", "databases (crm)"), ("a b", "databases (a b)")],
)
def test_an_instance_stands_in_brackets_behind_the_service(instance: str, said: str) -> None:
    assert with_instance("databases", instance) == said
