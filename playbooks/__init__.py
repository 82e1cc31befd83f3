"""From a bare machine to the running house."""
