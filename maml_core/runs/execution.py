"""How a run is executed, and on what: its settings, and the device that this machine has for it.

torch is imported where it is asked for devices, so that reading settings is quick.
"""

from dataclasses import dataclass, replace

from maml_core.config import DEVICES, PATHS, TrainConfig
from maml_core.errors import ConfigError


@dataclass(frozen=True)
class RunSettings:
    """How a run is executed. Decided when it first starts and kept when it resumes, unless somebody asks for another way
    (`execute_otherwise`): the bits depend on it.

    Raises:
        ConfigError: a setting is unknown.
    """

    path: str = "auto"
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        if self.path not in ("auto", *PATHS):
            raise ConfigError(f"path={self.path!r:.60} is not possible: choose one of auto, {', '.join(PATHS)}")
        if self.device not in DEVICES:
            raise ConfigError(f"device={self.device!r:.60} is not possible: choose one of {', '.join(DEVICES)}")
        if type(self.threads) is not int or not 1 <= self.threads <= 256:
            raise ConfigError(f"threads={self.threads!r:.60} is not possible: it must be between 1 and 256")

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide."""
        return "auto" not in (self.path, self.device)

    def settle(self, config: TrainConfig) -> "RunSettings":
        """The settings with every "auto" decided for this machine and the length of this run, which may take a compilation.

        Raises:
            ConfigError: they ask for what this machine lacks.
        """
        from maml_core.training import choose_path

        device = choose_device(self.device)
        return replace(self, device=device, path=choose_path(config, device) if self.path == "auto" else self.path)


def choose_device(device: str = "auto") -> str:
    """A GPU if there is one, for "auto". Raises ConfigError if CUDA is asked for and missing."""
    if device == "cpu":
        return device
    import torch

    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise ConfigError("device='cuda' is not possible: this PyTorch sees no CUDA GPU; use device='cpu' or 'auto'")
    return ("cuda" if cuda else "cpu") if device == "auto" else device


def has_device(device: str) -> bool:
    """Whether this machine has it."""
    try:
        choose_device(device)
    except ConfigError:
        return False
    return True
