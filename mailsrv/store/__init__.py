"""Mailboxes, messages and the queue: the Store protocol, and its engines."""

STORE = "store"  # its place in the state directory
