"""Mail as bytes with offsets: one bounded scan tells all that mailboxes, search and delivery ask of a message. Pure."""
