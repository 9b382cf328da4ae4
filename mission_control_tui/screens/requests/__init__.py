"""Screens on the queue of requests."""
