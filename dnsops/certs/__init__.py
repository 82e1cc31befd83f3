"""Keys and certificates: where they come from, what they hash to, current and next on disk, what a port shows."""
