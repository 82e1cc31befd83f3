"""Whether this host is well: ports, queue, disk, clock, certificate, TLSA records, timers, backups, log."""
