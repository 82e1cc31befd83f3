"""Deployment, proven on hosts with a systemd of their own."""
