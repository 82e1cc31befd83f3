"""The playbooks: what drives them, and they themselves."""
