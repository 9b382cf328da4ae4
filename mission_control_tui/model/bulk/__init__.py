"""One action for many users."""
