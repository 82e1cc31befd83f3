"""The stories: what is true, what should be, what is done about it."""
