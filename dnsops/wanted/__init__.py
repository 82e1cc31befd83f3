"""Every record that a mail domain should have, and why."""
