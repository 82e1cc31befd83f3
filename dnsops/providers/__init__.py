"""Who holds the zone: one door of two functions (`door`), `choose.parse` to get there, and behind it Cloudflare, RFC 2136, a zone file, or memory."""
