"""How a server that is not ours learns of a new pair: `install`, by a command or by the server's own interface."""
