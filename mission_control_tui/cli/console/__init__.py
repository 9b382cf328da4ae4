"""The command that opens the console, and the commands typed in it."""
