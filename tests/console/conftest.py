"""The databases of the screens' tests, for the application around them."""

from tests.screens.conftest import (  # noqa: F401 - fixtures
    _quick_consoles,
    new_db,
    new_template,
    world_db,
    world_template,
)
