"""Whom a message is from: our word beside that of others."""
