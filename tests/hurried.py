"""A module run as a program whose waits for PostgreSQL are short: `python -m tests.hurried MODULE ARGUMENT...`."""

from __future__ import annotations

import runpy
import sys

from mission_control_tui.model.store import change_feed, engine

engine.COMMAND_SECONDS = 1.5
engine.CONNECT_SECONDS = 1.5
engine.SILENCE_MS = 1_500
change_feed.PING_SECONDS = 0.3
change_feed.PING_PATIENCE = 0.7

if __name__ == "__main__":
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
