"""The texts that mail keeps in TXT records, each read and written in one file."""
