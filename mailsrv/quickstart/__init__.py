"""From a domain and a token to a mail server: asks little, checks much, writes, plans, applies, certifies; `story.run` is the way in."""
