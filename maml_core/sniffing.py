"""What a file is that cannot be a checkpoint: named from its first bytes, with what to do about it. Nothing in it is executed."""

from pathlib import Path
from typing import NamedTuple

from maml_core.reading import json_object

MAX_HEADER = 2**18
"""Bytes of a safetensors header, metadata included, that are parsed."""
_HEAD = 4096
"""Bytes that tell what a file is."""


class Finding(NamedTuple):
    """What is wrong with a file, as the end of a sentence that begins with its name, and lines of code that mend it, or none."""

    why: str
    remedy: str = ""


def what_is_wrong(path: Path, name: str) -> Finding | None:
    """Why this file cannot be read as safetensors, where that can be said without parsing tensors. Raises OSError.

    name: what the file is called where the person has it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        length = int.from_bytes(head[:8], "little")
        if len(head) < 9 or head[8:9] != b"{":
            return _other_kind(name, head, size)
        if length > MAX_HEADER:
            most = f"a checkpoint's may have at most {MAX_HEADER // 2**10}"
            return Finding(f"has a header of {length / 2**10:,.0f} KiB; {most}")
        file.seek(8)
        return _cut(file.read(length), length, size)


def _cut(header: bytes, length: int, size: int) -> Finding | None:
    """Whether a safetensors file ends before what its header announces; None too for a header that says nothing clear."""
    needed = 8 + length
    if len(header) == length:
        try:
            entries = json_object(header, MAX_HEADER)
            needed += max(entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__")
        except (ValueError, TypeError, LookupError, AttributeError):
            return None
    if not (isinstance(needed, int) and needed > size):
        return None
    return Finding(f"is cut off: {size:,} of its {needed:,} bytes are there. Copy or download it again")


def _other_kind(name: str, head: bytes, size: int) -> Finding:
    if not size:
        return Finding("is empty. Copy or download it again")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:80].lower()
    if start.startswith(b"version https://git-lfs"):
        return Finding(
            "is a Git LFS pointer, which stands for the file in a repository. Run `git lfs pull` there and use the file itself"
        )
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<!--", b"<?xml")):
        return Finding("is a web page (HTML), not the file itself. Use the page's download link (on GitHub: “Download raw file”)")
    if (head.startswith(b"PK\x03\x04") and b"/data.pkl" in head) or _is_pickle(head):
        return Finding(
            "is a PyTorch file (.pt, a pickle), whatever its name says. A pickle can run code, so it is never opened here: "
            "if you trust it, convert it yourself with these two lines",
            _conversion(name),
        )
    for magic, kind, advice in _KINDS:
        if head.startswith(magic):
            return Finding(f"is {kind}, not a safetensors file. {advice}")
    if start.startswith((b"{", b"[")):
        return Finding("is a JSON text, not a safetensors file. Use the file that ends in .safetensors itself")
    if size < 9:
        return Finding(
            f"has {size} bytes, fewer than any safetensors file: it is cut off, or of another kind. Copy or download it again"
        )
    return Finding("is not a safetensors file, or is damaged. Export the network with safetensors.torch.save_file")


_KINDS = (
    (b"PK\x03\x04", "a zip archive", "Unpack it and use the .safetensors file in it"),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and use the .safetensors file in it"),
    (b"\x93NUMPY", "a NumPy array", "Save all the network's tensors with safetensors.torch.save_file"),
    (b"\x89HDF", "an HDF5 file (Keras)", "Save a PyTorch network's tensors with safetensors.torch.save_file"),
    (b"GGUF", "a GGUF file", "Save a PyTorch network's tensors with safetensors.torch.save_file"),
)
"""First bytes, what such a file is, and what to do."""


def _is_pickle(head: bytes) -> bool:
    """Protocols 2 to 5 begin so; older ones are text and never what torch.save wrote."""
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _conversion(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    out = (
        f"{name}.safetensors"
        if not dot
        else f"{stem}-converted.safetensors"
        if ending == "safetensors"
        else f"{stem}.safetensors"
    )
    # Opened by itself: torch.load would take a name that ends in .safetensors for a safetensors file.
    load = f'torch.load(open({name!r}, "rb"), map_location="cpu", weights_only=True)'
    return f"import torch, safetensors.torch\nsafetensors.torch.save_file({load}, {out!r})"
