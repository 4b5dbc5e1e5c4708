"""The page "Characters": five signs drawn once each, and networks that tell them apart after a few gradient steps."""
