"""The domain and its store: the only door to the database. Imports neither Textual nor Rich."""
