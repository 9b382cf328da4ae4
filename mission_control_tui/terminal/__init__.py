"""What the console does to the terminal and hears from it: life cycle, driver, control sequences, keys, frames."""
