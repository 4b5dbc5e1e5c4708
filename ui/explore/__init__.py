"""Error over shots, step size and inner step."""
