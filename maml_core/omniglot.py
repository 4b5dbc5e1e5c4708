"""Omniglot's images, read where a person keeps them: the original zips (images_background.zip, ...) or their folders, unpacked.

B. Lake, R. Salakhutdinov, J. Tenenbaum. Human-level concept learning through probabilistic program induction. Science 2015.
"""

import io
import zipfile
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from maml_core.characters import SIDE
from maml_core.errors import ConfigError
from maml_core.reading import quoted

DRAWINGS = 20
"""Of each character."""
MOST = 2000
"""Characters that are read at most; Omniglot has 1,623."""
LARGEST = 64 * 1024
"""Bytes of one image; Omniglot's have a few hundred."""
WIDEST = 1024
"""Pixels along a side of one image; Omniglot's have 105."""
FORM = "it holds ALPHABET/characterNN/NNNN_MM.png, as images_background.zip of Omniglot does"


def read(path: Path) -> Tensor:
    """uint8 (characters, DRAWINGS, SIDE, SIDE), 255 where ink is, each pixel the mean of those whose centres it covers.

    Raises ConfigError where the path is no such zip or folder, or an image cannot be read.
    """
    try:
        if path.is_dir():
            found = islice(path.rglob("*.png"), MOST * DRAWINGS + 1)
            return _stacked(path, {each.relative_to(path).as_posix(): _reader(each) for each in found})
        with zipfile.ZipFile(path) as zipped:
            inside = [each for each in zipped.infolist() if each.filename.endswith(".png") and each.file_size <= LARGEST]
            return _stacked(path, {each.filename: lambda each=each: zipped.read(each) for each in inside})  # type: ignore[misc]
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise ConfigError(f"{quoted(str(path))} cannot be read: {error}; give Omniglot's zip or folder: {FORM}") from None


def _reader(file: Path) -> Callable[[], bytes]:
    def content() -> bytes:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)

    return content


def _stacked(path: Path, files: dict[str, Callable[[], bytes]]) -> Tensor:
    if len(files) > MOST * DRAWINGS:
        raise ConfigError(
            f"{quoted(str(path))} holds more than {MOST * DRAWINGS:,} images, "
            f"and {MOST:,} characters with {DRAWINGS} drawings each are possible: {FORM}"
        )
    characters: dict[str, list[str]] = {}
    for name in sorted(files):
        if "__MACOSX" not in name:
            characters.setdefault(str(PurePosixPath(name).parent), []).append(name)
    whole = [names[:DRAWINGS] for names in characters.values() if len(names) >= DRAWINGS]
    if len(whole) < 2:
        raise ConfigError(
            f"{quoted(str(path))} holds {len(whole)} characters with {DRAWINGS} drawings each, and 2 are the least: {FORM}"
        )
    return torch.stack([torch.stack([_small(name, files[name]()) for name in names]) for names in whole])


def _small(name: str, content: bytes) -> Tensor:
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError("images cannot be read without Pillow; install it: pip install pillow") from None
    try:
        if len(content) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.width != image.height or not SIDE <= image.width <= WIDEST:
                raise ValueError(f"it has {image.width} x {image.height} pixels; Omniglot's have 105 x 105")
            small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    except Image.UnidentifiedImageError:
        raise ConfigError(f"{quoted(name)} is not an image that can be read: it is no PNG") from None
    except (OSError, EOFError, SyntaxError, ValueError, zlib.error, Image.DecompressionBombError) as error:
        raise ConfigError(f"{quoted(name)} is not an image that can be read: {error}") from None
    return 255 - torch.from_numpy(np.array(small))
