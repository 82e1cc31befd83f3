"""What the server tells over HTTP: health and metrics on the management listener."""
