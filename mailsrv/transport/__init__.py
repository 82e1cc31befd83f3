"""Must this hop be encrypted, and to whom."""
