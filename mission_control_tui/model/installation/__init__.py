"""What an administrator does to all accounts: load a catalogue, switch connectors, sample account."""
