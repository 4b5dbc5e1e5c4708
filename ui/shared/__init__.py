"""What several features of the app use."""
