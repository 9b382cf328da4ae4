"""Commands on accounts, orders and money."""
