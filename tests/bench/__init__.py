"""Figures, never asserted in tests: `make bench` prints them, with what they should be."""
