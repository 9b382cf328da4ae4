"""What the console does to the terminal: life cycle, driver, frame diff, key queue, ASCII, crash log."""
