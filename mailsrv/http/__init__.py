"""What the server tells over HTTP: health and figures to management, policy and set-up of our domains to everybody."""
