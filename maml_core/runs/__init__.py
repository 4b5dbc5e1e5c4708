"""Training runs, a folder each: what is in it, reading it, and asking for changes.

It is trained by worker.py, in a process that scheduler.py starts when it is the run's turn; estimating.py says how long it takes.
None of these three is imported here, since two of them need torch.
"""

from maml_core.runs.about import read_about, rename
from maml_core.runs.asking import ask, enqueue, read_request
from maml_core.runs.execution import RunSettings, choose_device, has_device
from maml_core.runs.folder import Run, create, delete, execute_otherwise, folders, list_runs, look
from maml_core.runs.limits import Limits
from maml_core.runs.metrics import merged, read_metrics
from maml_core.runs.recipe import changes, read_config, read_start, settle
from maml_core.runs.snapshots import (
    TRAINING_STATE_SUFFIX,
    checkpoints_in,
    final_of,
    iteration_of,
    latest_checkpoint,
    save_snapshot,
    snapshots_in,
    snapshots_of,
    training_state_at,
    training_state_of,
)
from maml_core.runs.status import CAN_GO_ON, RUN_STATES, Status, held, is_live, read_status, write_status

__all__ = [
    "CAN_GO_ON",
    "RUN_STATES",
    "TRAINING_STATE_SUFFIX",
    "Limits",
    "Run",
    "RunSettings",
    "Status",
    "ask",
    "changes",
    "checkpoints_in",
    "choose_device",
    "create",
    "delete",
    "enqueue",
    "execute_otherwise",
    "final_of",
    "folders",
    "has_device",
    "held",
    "is_live",
    "iteration_of",
    "latest_checkpoint",
    "list_runs",
    "look",
    "merged",
    "read_about",
    "read_config",
    "read_metrics",
    "read_request",
    "read_start",
    "read_status",
    "rename",
    "save_snapshot",
    "settle",
    "snapshots_in",
    "snapshots_of",
    "training_state_at",
    "training_state_of",
    "write_status",
]
