"""Is it true, seen from outside."""
