"""Distribution groups, contacts, shared mailboxes and their members."""
