"""Lessons: cards that ask for a prediction, show what happens, and say why."""

from ui.lessons import component

component.lessons()
