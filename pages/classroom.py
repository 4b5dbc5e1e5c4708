"""Classroom: a card for everybody at once, predicted in secret and settled together."""

from ui import classroom_view

classroom_view.classroom_view()
