"""A message arrives: from the envelope to the fsync, and only then 250."""
