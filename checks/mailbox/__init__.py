"""A real mailbox over IMAP: does the login work, is it encrypted, and can a message be put in, read and taken out?"""
