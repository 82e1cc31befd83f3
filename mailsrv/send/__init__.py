"""A message leaves: queue, route, policy, attempt; delivered, later or returned."""
