"""The checkpoints there are: what is known of each, their comparison, and what can be taken home."""
