"""The lab: one task, every inner step of every learner, and what can be done to it."""
