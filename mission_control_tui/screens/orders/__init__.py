"""The buy flow and the list of orders."""
