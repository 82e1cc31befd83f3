"""What a spam filter and its postmaster would say of a message: a score out of 10, each point with its reason and its fix."""
