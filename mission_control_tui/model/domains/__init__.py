"""Domain names of accounts, and who has which address in them."""
