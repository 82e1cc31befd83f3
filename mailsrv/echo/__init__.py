"""echo@DOMAIN answers with what we saw of a mail: a mirror for who sets up a mail server."""
