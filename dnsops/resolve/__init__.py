"""Asking the DNS: through a validating resolver (`choice.resolver`), and each authoritative server itself (`authority`)."""
