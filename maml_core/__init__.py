"""Model-agnostic meta-learning (Finn et al. 2017, arXiv:1703.03400) in PyTorch: pure functions over parameter dictionaries."""

__version__ = "0.1.0"
