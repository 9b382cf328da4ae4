"""Commands on users, groups, templates, and finding anyone."""
