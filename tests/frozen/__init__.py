"""Databases as a release left them, frozen, and the tests that every later program passes on them."""
