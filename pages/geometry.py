"""Geometry: where MAML's initialisation lies, and why; in a world of two parameters."""

from ui import geometry_view

geometry_view.geometry_view()
