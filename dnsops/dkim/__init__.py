"""DKIM keys of our own: generations of selectors on disk, and who signs with which of them now."""
