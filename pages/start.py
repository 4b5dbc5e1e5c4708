"""The start page: two initialisations, equally wrong; one step; and the ways on from there."""

from ui import start_view

start_view.start_view()
