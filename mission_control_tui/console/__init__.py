"""The full-screen application: start, account switching, session restore, the Textual App."""
