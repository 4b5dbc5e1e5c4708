"""Lessons: cards that ask for a prediction, show what happens, and say why."""

from ui import lesson_view

lesson_view.lesson_view()
