"""One file per command: how it is read, and what it does."""
