"""The store: engine, transaction, retries, change feed, schema, rows found and read back."""
