"""The ground floor: errors, secrets, files, clock, log, settings. It imports nothing of ours."""
