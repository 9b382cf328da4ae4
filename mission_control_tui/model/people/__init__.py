"""Rules about people, without a database: their fields, what is valid, names, passwords, phones."""
