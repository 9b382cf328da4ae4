"""Text from outside and for people: folding, harmless text, IDNA errors, differences."""
