"""Writing files so that a reader, or a crash, never sees half of one."""

import os
import time
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file's content at once or not at all. Raises OSError, and then leaves nothing behind."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        for attempt in range(5):
            try:
                temporary.replace(path)
                return
            except PermissionError:  # on Windows, while somebody reads the old file
                if attempt == 4:
                    raise
                time.sleep(0.05)
    finally:
        temporary.unlink(missing_ok=True)
