"""What belongs to one operator: drafts, sessions, recents."""
