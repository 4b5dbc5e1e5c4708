"""What goes wrong in a way that a person can do something about: every message is one sentence to be shown. No torch here."""

from typing import Any


class ConfigError(ValueError):
    """A setting that cannot be used. The message says what was wrong and what is allowed."""


class NotHere(ConfigError):
    """A run cannot go on as it was executed: this machine lacks what that needs. The message says what."""


class CheckpointError(ValueError):
    """A file that is not a usable checkpoint. The message says why on one line; remedy: lines of code that mend it, or none."""

    def __init__(self, why: str, remedy: str = ""):
        super().__init__(why)
        self.remedy = remedy


class NoRecipe(CheckpointError):
    """A network that can be used once somebody tells how it was trained. choices: the algorithms that it can come from."""

    def __init__(self, why: str, choices: tuple[str, ...]):
        super().__init__(why)
        self.choices = choices


class RunError(RuntimeError):
    """A run folder that cannot be used as asked. The message says why and what to do."""


class RunIsLive(RunError):
    """A process is training this run, so that nobody else may."""


class RunFailed(RuntimeError):
    """A run that broke off by itself. The message says where the details are."""


class RunPaused(RuntimeError):
    """The run was asked to pause: it is saved, and can be resumed."""


class TrainingDiverged(RuntimeError):
    """The meta-objective is not finite. `last` is the last training.TrainingState known to be good."""

    def __init__(self, iteration: int, last: Any):
        super().__init__(f"training diverged before iteration {iteration}; try a smaller beta or alpha")
        self.last = last
