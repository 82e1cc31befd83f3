"""DMARC and TLS reports, both ways: what we saw goes out, what others saw of us is read and kept."""
