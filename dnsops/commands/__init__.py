"""The commands of this wing, one file each; a file's first line is its line in the help."""
