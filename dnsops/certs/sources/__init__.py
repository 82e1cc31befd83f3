"""One file per place that a certificate can come from; `door` has what they share and `parse`."""
