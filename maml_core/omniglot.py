"""Omniglot's images, read where a person keeps them: the original zips (images_background.zip, ...) or their folders, unpacked.

B. Lake, R. Salakhutdinov, J. Tenenbaum. Human-level concept learning through probabilistic program induction. Science 2015.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from maml_core.characters import SIDE
from maml_core.errors import ConfigError

DRAWINGS = 20
"""Of each character."""
MOST = 2000
"""Characters that are read at most; Omniglot has 1,623."""
LARGEST = 64 * 1024
"""Bytes of one image; Omniglot's have a few hundred."""
FORM = "it holds ALPHABET/characterNN/NNNN_MM.png, as images_background.zip of Omniglot does"


def read(path: Path) -> Tensor:
    """uint8 (characters, DRAWINGS, SIDE, SIDE), 255 where ink is, each pixel the mean of the area it covers.

    Raises ConfigError where the path is no such zip or folder, or an image cannot be read.
    """
    try:
        if path.is_dir():
            files: dict[str, Callable[[], bytes]] = {
                each.relative_to(path).as_posix(): each.read_bytes for each in sorted(path.rglob("*.png"))[: MOST * DRAWINGS + 1]
            }
            return _stacked(path, files)
        with zipfile.ZipFile(path) as zipped:
            inside = [each for each in zipped.infolist() if each.filename.endswith(".png") and each.file_size <= LARGEST]
            return _stacked(path, {each.filename: lambda each=each: zipped.read(each) for each in inside})  # type: ignore[misc]
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; give Omniglot's zip or folder: {FORM}") from None


def _stacked(path: Path, files: dict[str, Callable[[], bytes]]) -> Tensor:
    characters: dict[str, list[str]] = {}
    for name in sorted(files):
        if "__MACOSX" not in name:
            characters.setdefault(str(PurePosixPath(name).parent), []).append(name)
    whole = [names[:DRAWINGS] for names in characters.values() if len(names) >= DRAWINGS]
    if not 2 <= len(whole) <= MOST:
        raise ConfigError(
            f"{path} holds {len(whole):,} characters with {DRAWINGS} drawings each, and 2 to {MOST:,} are possible: {FORM}"
        )
    return torch.stack([torch.stack([_small(name, files[name]()) for name in names]) for names in whole])


def _small(name: str, content: bytes) -> Tensor:
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError("images cannot be read without Pillow; install it: pip install pillow") from None
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.width != image.height or not SIDE <= image.width <= 1024:
                raise ConfigError(f"{name} has {image.width} x {image.height} pixels; Omniglot's images have 105 x 105")
            small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    except (OSError, SyntaxError) as error:
        raise ConfigError(f"{name} is not an image that can be read: {error}") from None
    return 255 - torch.from_numpy(np.array(small))
