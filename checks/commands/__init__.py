"""The commands of this wing: `mailsrv check` and its kinds."""
