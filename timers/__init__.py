"""What happens by itself: every job once, run under a lock, remembered, and told when its state changes."""
