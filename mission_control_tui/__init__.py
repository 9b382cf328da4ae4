"""Mission Control: a full-screen console for a hosting provider's accounts, users and services."""

__version__ = "0.1.0"
