"""A report for each kind of reader: terminal, JSON, JUnit, one HTML page, Nagios; and what changed since another day."""
