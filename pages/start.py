"""The start page: two initialisations, equally wrong; one step; and the ways on from there."""

from ui.start import component

component.start()
