"""What every screen is made of: frame, loading, memory, prompts, verbs, the mission context."""
