"""What the author of a connector tests it with; it needs pytest and pytest-asyncio."""
