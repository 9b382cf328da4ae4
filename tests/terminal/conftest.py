"""The database of the corpus, made once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.terminal import corpus_world


@pytest.fixture(scope="session")
def corpus_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every replay copies."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.db"
    asyncio.run(corpus_world.make(path))
    return path
