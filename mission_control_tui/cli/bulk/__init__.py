"""Commands on bulks."""
