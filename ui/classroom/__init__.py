"""Rooms: a class that answers a card together."""
