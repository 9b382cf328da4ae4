"""What a month costs, statements, their files."""
