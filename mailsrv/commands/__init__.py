"""The commands of the mail server's wing, one file each."""
