"""Model-agnostic meta-learning (Finn et al. 2017, arXiv:1703.03400) in PyTorch: pure functions over parameter dictionaries."""

from pathlib import Path

__version__ = "0.1.0"
_HERE = Path(__file__).parent
PRETRAINED = _HERE / "pretrained" if (_HERE / "pretrained").is_dir() else _HERE.parent / "pretrained"
"""The shipped checkpoints: inside the package where it was installed, beside it in a checkout."""
