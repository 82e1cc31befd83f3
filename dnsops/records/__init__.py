"""DNS names, rdata and RRsets as values: parsed once, compared exactly, written back as text. Pure."""
