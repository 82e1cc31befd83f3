"""IMAP's grammar (RFC 9051 9): bytes to values, bounded, pure."""
