"""Screens on groups, contacts and shared mailboxes."""
