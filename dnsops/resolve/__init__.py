"""Asking the DNS: through a validating resolver, and each authoritative server itself."""
