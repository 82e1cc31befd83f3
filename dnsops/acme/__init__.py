"""Certificates issued by an ACME authority, on certbot's library."""
