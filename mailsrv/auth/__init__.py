"""Who really sent it: SPF, DKIM, DMARC and ARC, verified and signed, and what we say of it."""
