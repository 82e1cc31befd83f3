"""Whether a mail of ours goes out and its answer comes back, how long that takes, and what the far side saw."""
