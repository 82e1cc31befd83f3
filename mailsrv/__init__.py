"""Mail in, mail out, mail read."""
