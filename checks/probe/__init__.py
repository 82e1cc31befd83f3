"""Gathering facts: the DNS, ports that answer, routing data. Sockets, and little judgement."""
