"""A second copy of everything a server must not lose, taken while it serves, and proven."""
