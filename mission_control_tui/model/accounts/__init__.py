"""Customers: who they are, contacts, overview, domains at a glance, use of seats."""
