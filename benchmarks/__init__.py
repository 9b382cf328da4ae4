"""Measurements against the budgets of the issues: `python -m benchmarks.NAME` prints figures and verdicts."""
