"""Training while one watches."""
