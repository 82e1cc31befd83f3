"""What a life of keys in the DNS allows at each moment: publish before use, use before forgetting. Pure."""
