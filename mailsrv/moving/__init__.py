"""The way in from other servers, and out again: their mail, accounts, keys and configuration."""
