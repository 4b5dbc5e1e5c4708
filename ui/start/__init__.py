"""The start page: one task before any step and after it."""
