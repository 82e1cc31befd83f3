"""One file per place that a certificate can come from."""
