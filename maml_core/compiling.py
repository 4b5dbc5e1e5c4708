"""A traced program made into machine code by PyTorch's compiler; what stands in its way is said with its remedy."""

import functools
import locale
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

COMPILERS = {"darwin": "clang++", "win32": "cl"}
"""What PyTorch calls where CXX names nothing else; g++ elsewhere."""
LIBOMP = ("/opt/homebrew/opt/libomp", "/usr/local/opt/libomp")
"""Where Homebrew puts OpenMP on a Mac."""
FULL = "No space left on device"


class CannotCompile(RuntimeError):
    """A program could not be compiled. The message says what failed, and what to do about it where that is known.

    everywhere: no other program can be compiled here either. passing: the next try may succeed although nothing was mended.
    """

    def __init__(self, why: str, *, everywhere: bool = False, passing: bool = False):
        super().__init__(why)
        self.everywhere, self.passing = everywhere, passing


def environment() -> tuple[Any, ...]:
    """What decides whether anything can be compiled here, as far as it can be told at once: after a change it is worth a try."""
    compiler = shutil.which(_compiler())
    changed = os.stat(compiler).st_mtime_ns if compiler else 0
    variables = tuple(os.environ.get(name) for name in ("CXX", "OMP_PREFIX", "CONDA_PREFIX", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR"))
    openmp = tuple(os.path.exists(path) for path in (*LIBOMP, f"{os.environ.get('CONDA_PREFIX')}/include/omp.h"))
    return compiler, changed, variables, openmp, torch.__version__, torch.__file__, sys.prefix, locale.getpreferredencoding(False)


def check() -> None:
    """Raises CannotCompile, within milliseconds, for what would otherwise fail after all the work before a compiler is called."""
    compiler = _compiler()
    try:
        if not shutil.which(compiler):
            raise FileNotFoundError
        if sys.platform != "win32":
            subprocess.run([compiler, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError):
        raise CannotCompile(
            f"no C++ compiler answers to {compiler!r}; install one (Debian and Ubuntu: apt install g++, macOS: xcode-select "
            "--install), or name another in the environment variable CXX",
            everywhere=True,
        ) from None
    try:
        scratch = tempfile.gettempdir()
    except OSError as error:
        raise CannotCompile(f"there is no folder for temporary files ({error}); set TMPDIR to one", everywhere=True) from None
    if not _is_one_word(scratch):
        raise CannotCompile(
            f"PyTorch cannot compile in {scratch}, the folder for temporary files, because of a space or a quotation mark in its "
            "name; set TMPDIR to another",
            everywhere=True,
        )


def compile_into(package: Path, program: GraphModule, example: Sequence[Tensor]) -> None:
    """Write the program as machine code for this CPU. package: the file, in a folder that exists.

    Raises:
        CannotCompile: in any case of failure.
    """
    check()
    try:
        from torch._inductor import aoti_compile_and_package  # seconds to import, and not always needed

        lean = torch.export.export(program, tuple(example))
        with _one_word_paths(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # One thread: these loops are too short to be shared out.
            aoti_compile_and_package(lean, package_path=str(package), inductor_configs={"cpp.threads": 1})
    except Exception as error:  # whatever a compiler can say
        raise _failed(error) from error


def load(package: Path) -> Callable[..., list[Tensor]]:
    """The program in this file. It is copied out of it, which may vanish afterwards.

    Raises:
        CannotCompile: it cannot be read or executed.
    """
    try:
        from torch._inductor import aoti_load_package

        run = aoti_load_package(str(package), run_single_threaded=True).loader.boxed_run
    except Exception as error:
        raise _failed(error) from error
    return lambda *inputs: run(list(inputs))


def compile_here(program: GraphModule, example: Sequence[Tensor]) -> Callable[..., list[Tensor]]:
    """The program compiled for another device than the CPU, in this process alone.

    Raises:
        CannotCompile: in any case of failure.
    """
    try:
        compiled = torch.compile(program)
        compiled(*example)  # only now is it compiled
    except Exception as error:
        raise _failed(error) from error
    return compiled


def _compiler() -> str:
    return os.environ.get("CXX") or COMPILERS.get(sys.platform, "g++")


def _failed(error: Exception) -> CannotCompile:
    """The error with what matters of its text: PyTorch's advice if it gives any, else the compiler's first complaint."""
    text = str(error).strip() or type(error).__name__
    if isinstance(error, UnicodeError):
        encoding = locale.getpreferredencoding(False)
        why = f"PyTorch's compiler cannot be read in the text encoding {encoding}; set the environment variable PYTHONUTF8=1"
        return CannotCompile(why, everywhere=True)
    said = text.partition("Output:\n")[2] or text
    advice = said.partition("OpenMP support not found")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    complaint = next((line for line in lines if re.search(r"\berror:|undefined|cannot find|" + FULL, line)), lines[0])
    passing = FULL in text or isinstance(error, OSError | MemoryError)
    everywhere = isinstance(error, ImportError) or "C++ compile error" in text
    return CannotCompile(
        " ".join("".join(advice[1:]).split()) if advice[1] else complaint[:300], everywhere=everywhere, passing=passing
    )


def _is_one_word(path: str) -> bool:
    try:
        return shlex.split(path) == [path]
    except ValueError:  # an apostrophe
        return False


@contextmanager
def _one_word_paths() -> Iterator[None]:
    """PyTorch joins the command line for the compiler without quoting the folders it links from and works in.

    Where one of them, such as a checkout's, has a space or a quotation mark in its name, it goes by another name meanwhile.
    """
    if sys.platform == "win32":  # quoted there
        yield
        return
    from torch._inductor import codecache
    from torch.utils import cpp_extension

    variables, scratch = sysconfig.get_config_vars(), Path(_scratch().name)
    torch_lib, python_lib, work = cpp_extension.TORCH_LIB_PATH, variables.get("LIBDIR"), os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    cpp_extension.TORCH_LIB_PATH = _in_one_word(torch_lib, scratch / "torch")
    if python_lib:
        variables["LIBDIR"] = _in_one_word(python_lib, scratch / "python")
    headers = {name: value for name, value in vars(codecache).items() if name in ("_HEADER_DIR", "_HEADER_LOCK_DIR")}
    if not _can_work_in_torchs_folder():
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(scratch / "work")
        for name in headers:  # fixed when PyTorch is imported, whatever the variable says
            setattr(codecache, name, str(scratch / name))
    try:
        yield
    finally:
        vars(codecache).update(headers)
        cpp_extension.TORCH_LIB_PATH = torch_lib
        if python_lib:
            variables["LIBDIR"] = python_lib
        if work is None:
            os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)
        else:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = work


@functools.cache
def _scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder as long as this process lives: PyTorch keeps paths into the one it worked in."""
    return tempfile.TemporaryDirectory(prefix="maml-lab-", ignore_cleanup_errors=True)


def _in_one_word(path: str, link: Path) -> str:
    """The folder, or a link to it where its name is more than one word."""
    if _is_one_word(path):
        return path
    if not link.is_symlink():
        link.symlink_to(path, target_is_directory=True)
    return str(link)


def _can_work_in_torchs_folder() -> bool:
    """Whether the folder that PyTorch compiles in, and keeps for the next time, can be used: it may be somebody else's."""
    try:
        from torch._inductor.runtime.cache_dir_utils import cache_dir  # no public name for it

        return _is_one_word(cache_dir()) and os.access(cache_dir(), os.W_OK)
    except (ImportError, OSError):
        return False
