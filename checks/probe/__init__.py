"""Gathers facts: what the DNS, the ports and the routing data show, with evidence. No judgement here."""
