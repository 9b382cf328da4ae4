"""Everything that is done to one user: create, edit, aliases, passwords, provision, revert, expire."""
