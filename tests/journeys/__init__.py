"""Whole stories on the lab's real servers, told through the command as a person or a timer would call it."""
