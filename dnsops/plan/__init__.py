"""What is wanted against what is there: the difference, in a safe order, with a reason for each step."""
