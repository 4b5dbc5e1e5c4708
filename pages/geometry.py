"""Geometry: where MAML's initialisation lies, and why; in a world of two parameters."""

from ui.geometry import component

component.geometry()
