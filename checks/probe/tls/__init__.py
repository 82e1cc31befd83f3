"""Handshakes of our own, as many and as odd as it takes to know what a TLS server accepts: `look` at a `Place`."""

from checks.probe.tls.looking import look
from checks.probe.tls.trust import Roots, read_roots
from checks.probe.tls.visit import Gate, Limits, Place

__all__ = ["Gate", "Limits", "Place", "Roots", "look", "read_roots"]
