"""Reading and checking a catalogue file, with every error at once."""
