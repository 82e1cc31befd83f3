"""Tests of mailsrv.store: one suite over every engine, and what only the one on disk can suffer."""
