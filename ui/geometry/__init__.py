"""What MAML looks for, in a world of two parameters and in the real network."""
