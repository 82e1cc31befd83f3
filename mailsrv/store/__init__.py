"""Mailboxes, messages and the queue: the Store protocol, and its engines."""
