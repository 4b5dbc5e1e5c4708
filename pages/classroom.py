"""Classroom: a card for everybody at once, predicted in secret and settled together."""

from ui.classroom import component

component.classroom()
