"""SMTP as a server speaks it: grammar, replies, limits, sessions, listeners."""
