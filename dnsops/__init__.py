"""What the world must know about a mail host, and the proof that it does."""
