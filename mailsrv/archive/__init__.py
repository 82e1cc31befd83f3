"""Mail in and out of the forms that every other program reads: Maildir and mbox."""
