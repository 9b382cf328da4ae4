"""New users from a file, a pasted list, a template or another user."""
