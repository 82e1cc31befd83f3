"""Peers made to hurt: mail servers, name servers and web servers that lie, drip and flood, and a man in the middle."""
