"""Characters: five signs that nobody has ever seen, drawn once each, and a network that tells them apart after a few steps."""

from ui.characters import component

component.page()
