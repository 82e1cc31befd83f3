"""How much of a message anything here reads, in one place. What lies beyond is kept and served, but not understood. Pure.

Nothing fails at a limit: a header is read up to it, a part beyond it is opaque (application/octet-stream), a text is cut.
"""

from __future__ import annotations

HEADER = 256 * 1024  # bytes of one header block whose fields are read
FIELDS = 1000  # fields of one header block
ADDRESSES = 1000  # addresses of one list
TOKENS = 20  # words and marks of one list, for each address it may have
PARAMETERS = 100  # of Content-Type or Content-Disposition, RFC 2231 pieces counted one by one
BOUNDARY = 256  # bytes; RFC 2046 5.1.1 allows 70, some mailers do not know
DEPTH = 50  # of multiparts and messages inside one another
PARTS = 1000  # of one message
WORK = 16  # times its own size that a message may be searched for boundaries and line ends
CANDIDATE = 512  # bytes of that work which one line that might be a boundary costs
LANGUAGES = 20  # of Content-Language
DECODED = 16 * 1024  # bytes of one field that are decoded to text
SUBJECT = 1000  # characters of a subject that threading looks at
REFERENCES = 100  # Message-IDs: the first and the latest
IDENTIFIER = 998  # bytes of a Message-ID: a line's length
TEXT = 64 * 1024  # characters of text for the search index
SOURCE = 256 * 1024  # bytes of one part that are decoded to get there
PREVIEW = 200  # characters; RFC 8970 3.1 allows 256
NAMES = 100  # attached files whose names are indexed
RETURNED = 1024 * 1024  # bytes of a message that a delivery status notification returns whole
RETURNED_UNASKED = 64 * 1024  # ... when the sender did not say what it wants back
REPORTED = 1000  # recipients in one delivery status notification
DIAGNOSTIC = 2000  # characters of a remote server's words in it
