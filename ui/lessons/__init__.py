"""Lesson cards: predict, observe, explain, and a challenge."""
