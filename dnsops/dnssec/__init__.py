"""DNSSEC care: what is seen of a zone and its parent, and what a person should know about it before resolvers say so."""
