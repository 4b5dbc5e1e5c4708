"""Zips and folders of Omniglot's form, made of generated characters, and what is no such thing."""

import io
import random
import struct
import zipfile
import zlib

import pytest
import torch
from PIL import Image

from maml_core import characters, omniglot
from maml_core.characters import RANDOMS, SIDE, VARIATION
from maml_core.errors import ConfigError
from maml_core.omniglot import DRAWINGS, LARGEST

NAMES = [f"images_background/{alphabet}/character{n:02}" for alphabet in ("Greek", "Latin") for n in (1, 2)]


def png(image):
    """Ink (side, side) in [0, 1] as Omniglot has it: black on white, one bit a pixel."""
    file = io.BytesIO()
    Image.fromarray((255 * (image < 0.5)).byte().numpy()).convert("1").save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="module")
def images():
    """(characters, DRAWINGS, 105, 105) in {0, 1}."""
    generator = torch.Generator().manual_seed(0)
    points, present = characters.character(torch.rand(len(NAMES), 1, RANDOMS, generator=generator))
    other = torch.rand(len(NAMES), DRAWINGS, VARIATION, generator=generator)
    drawings = characters.again(characters.Strokes(points, present.expand(len(NAMES), DRAWINGS, -1)), other)
    return (characters.ink(drawings, characters.pen(other), 105) > 0.5).float()


@pytest.fixture(scope="module")
def files(images):
    """Name -> content, in no order, with what a Mac and people leave between them."""
    number = {name: i for i, name in enumerate(NAMES)}
    made = {f"{name}/{i:04}_{k + 1:02}.png": png(images[i, k]) for name, i in number.items() for k in range(DRAWINGS)}
    made = dict(random.Random(0).sample(list(made.items()), len(made)))
    return made | {
        "__MACOSX/Greek/._0001_01.png": b"?",
        "notes.txt": b"?",
        "images_background/Greek/character03/0009_01.png": b"?",
    }


@pytest.fixture
def zipped(tmp_path, files):
    return archive(tmp_path / "images_background.zip", files)


def archive(path, files):
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def test_pixels_are_means_of_those_they_cover(zipped, images):
    small = omniglot.read(zipped)
    assert small.dtype == torch.uint8
    assert small.shape == (len(NAMES), DRAWINGS, SIDE, SIDE)
    narrow, wide = torch.arange(105)[None], torch.arange(SIDE)[:, None]
    centre = (narrow + 0.5) * SIDE / 105
    share = ((centre > wide) & (centre <= wide + 1)).float()  # which of the 105 columns belong to each of the 28
    share /= share.sum(1, keepdim=True)
    torch.testing.assert_close(small.float() / 255, share @ images @ share.T, rtol=0, atol=0.01)


def test_a_zip_and_a_folder_are_the_same(zipped, tmp_path, files):
    at = folder(tmp_path / "unpacked", files)
    expected = omniglot.read(zipped)
    assert torch.equal(omniglot.read(at), expected)
    assert torch.equal(omniglot.read(at / "images_background"), expected)


def test_a_drawing_more_is_not_taken(tmp_path, files, zipped):
    more = archive(tmp_path / "more.zip", files | {f"{NAMES[0]}/9999_21.png": next(iter(files.values()))})
    assert torch.equal(omniglot.read(more), omniglot.read(zipped))


def refused(path):
    with pytest.raises(ConfigError) as caught:
        omniglot.read(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_no_omniglot_is_refused_in_a_sentence(tmp_path, files):
    assert "cannot be read" in refused(tmp_path / "absent.zip")
    (tmp_path / "text.zip").write_text("characters")
    assert "cannot be read" in refused(tmp_path / "text.zip")
    assert "holds 0 characters with 20 drawings each, and 2 are the least" in refused(archive(tmp_path / "no.zip", {}))
    one = {name: content for name, content in files.items() if NAMES[0] in name}
    assert "holds 1 characters" in refused(archive(tmp_path / "one.zip", one))
    assert "holds 0 characters" in refused(folder(tmp_path / "few", dict(list(one.items())[:-1])))


def test_more_images_than_there_can_be_are_refused(tmp_path, files, zipped, monkeypatch):
    monkeypatch.setattr(omniglot, "MOST", 3)
    assert "holds more than 60 images, and 3 characters with 20 drawings each are possible" in refused(zipped)
    assert "holds more than 60 images" in refused(folder(tmp_path / "unpacked", files))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width, height):
    """A PNG of that size, as its first bytes claim, with next to nothing in it."""
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


BAD = {
    "no image": b"GIF89a",
    "empty": b"",
    "cut off": png(torch.rand(105, 105, generator=torch.Generator().manual_seed(1)))[:500],
    "not square": png(torch.ones(105, 90)),
    "too small": png(torch.ones(20, 20)),
    "too wide": png(torch.ones(1025, 1025)),
    "a bomb": header(60000, 60000),
    "its text a bomb": png(torch.ones(105, 105))[:33]
    + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**22)))
    + chunk(b"IEND", b""),
    "noise": png(torch.ones(105, 105))[:40] + bytes(range(200)),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
@pytest.mark.parametrize("put", [archive, folder])
def test_an_image_that_cannot_be_read_is_named(tmp_path, files, content, put):
    message = refused(put(tmp_path / "bad", files | {f"{NAMES[1]}/0001_01.png": content}))
    assert "is not an image that can be read" in message
    assert "character02/" in message


def test_an_image_of_too_many_bytes_is_not_read(tmp_path, files):
    large = files | {f"{NAMES[1]}/0001_01.png": next(iter(files.values())) + bytes(LARGEST)}
    assert "more than 65,536 bytes" in refused(folder(tmp_path / "unpacked", large))
    assert len(omniglot.read(archive(tmp_path / "large.zip", large))) == len(NAMES) - 1


def test_a_damaged_zip_is_refused(zipped):
    content = bytearray(zipped.read_bytes())
    with zipfile.ZipFile(zipped) as opened:
        inside = next(each for each in opened.infolist() if NAMES[0] in each.filename)
    content[inside.header_offset + 30 + len(inside.filename) + 5] ^= 255
    zipped.write_bytes(content)
    assert "cannot be read" in refused(zipped)


def test_a_compressed_entry_that_is_damaged_is_refused(tmp_path, files):
    path = tmp_path / "compressed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as opened:
        inside = next(each for each in opened.infolist() if NAMES[0] in each.filename)
    at = inside.header_offset + 30 + len(inside.filename)
    content[at : at + 10] = b"\xff" * 10
    path.write_bytes(content)
    assert "cannot be read" in refused(path)


def test_a_long_name_is_quoted_in_part(tmp_path, files):
    long = {name.replace("Greek", "G" * 150): content for name, content in files.items()}
    bad = next(name for name in long if "G" * 150 in name)
    assert len(refused(archive(tmp_path / "long.zip", long | {bad: b""}))) < 200
