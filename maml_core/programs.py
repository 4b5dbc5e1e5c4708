"""How a step is executed over and over: as it is written, traced to a flat list of tensor operations, or compiled.

Knows nothing of what is computed. Compiled programs are kept in a folder, so that the next run of the same kind starts at once.
"""

import hashlib
import os
import platform
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_leaves, tree_map, tree_structure, tree_unflatten

from maml_core.rewriting import rewritten

PATHS = ("eager", "traced", "compiled")

Program = Callable[..., list[Tensor]]
"""A pure function of tensors."""


class CannotCompile(RuntimeError):
    """A program could not be compiled: there is no working compiler. The message is the first line of what it said."""


def scan(
    step: Callable[[Any, Any], tuple[Any, Tensor]], carry: Any, x: Any, *, path: str, device: str = "cpu", name: str = ""
) -> Callable[[Any, Any], tuple[Any, Tensor]]:
    """step(carry, x) -> (carry, y), made into (carry, xs) -> (carry, ys) along the first dimension of every leaf of xs.

    carry, x: examples, on the device; every later one has their shapes. path: one of PATHS.
    name: identifies the step among all others; what is compiled under it (see `is_compiled`) is not compiled again.

    Raises:
        CannotCompile: on the compiled path, where this machine cannot.
    """
    form, example = tree_structure((carry, x)), tree_leaves((carry, x))
    example = [tensor.clone() for tensor in example]  # tracing takes equal objects for one

    def flat(*inputs: Tensor) -> list[Tensor]:
        return tree_leaves(step(*tree_unflatten(list(inputs), form)))

    program: Program = flat
    with torch.no_grad():
        if path == "traced":
            program = _traced(flat, example)
        elif path == "compiled" and device == "cpu":
            program = _compiled(flat, example, _package(name))
        elif path == "compiled":
            program = torch.compile(_traced(flat, example))
        if device != "cpu":
            program = _captured(program, example)

    @torch.no_grad()
    def run(carry: Any, xs: Any) -> tuple[Any, Tensor]:
        form, state, ys = tree_structure(carry), tree_leaves(carry), []
        for x in zip(*(leaf.unbind() for leaf in tree_leaves(xs)), strict=True):
            *state, y = program(*state, *x)
            ys.append(y)
        return tree_map(torch.clone, tree_unflatten(state, form)), torch.stack(ys)

    return run


def is_compiled(name: str) -> bool:
    """Whether the compiled path is ready for a step of that name, so that choosing it costs nothing."""
    return _package(name).exists()


def _traced(program: Program, example: list[Tensor]) -> GraphModule:
    """The program as a flat list of tensor operations, each done once."""
    return _without_repeats(make_fx(program)(*example))


def _compiled(program: Program, example: list[Tensor], package: Path) -> Program:
    """The program as machine code, from the package if it is there, else into it."""
    from torch._inductor import aoti_load_package  # seconds to import, and not always needed

    if not package.exists():
        _compile(program, example, package)
    try:
        run = aoti_load_package(str(package), run_single_threaded=True).loader.boxed_run
    except RuntimeError as error:  # damaged on disk: the next run makes it anew
        package.unlink(missing_ok=True)
        raise CannotCompile(f"{package} is damaged and was removed") from error
    return lambda *inputs: run(list(inputs))


def _compile(program: Program, example: list[Tensor], package: Path) -> None:
    """Write the program as machine code into the package, whole or not at all: another run may be looking."""
    from torch._inductor import aoti_compile_and_package

    _find_compiler()
    lean = torch.export.export(_without_repeats(rewritten(_traced(program, example), example)), tuple(example))
    try:
        package.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=package.parent) as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # One thread: these loops are too short to be shared out.
            path, settings = str(Path(folder) / package.name), {"cpp.threads": 1}
            os.replace(aoti_compile_and_package(lean, package_path=path, inductor_configs=settings), package)
    except Exception as error:  # whatever a compiler can say
        raise CannotCompile(_first_line(error)) from error


def _find_compiler() -> None:
    """Raises CannotCompile at once where there is no C++ compiler, instead of after all that comes before it is called."""
    try:
        from torch._inductor.cpp_builder import get_cpp_compiler  # no public name for it
    except ImportError:
        return
    try:
        get_cpp_compiler()
    except Exception as error:
        raise CannotCompile(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _captured(program: Program, example: list[Tensor]) -> Program:
    """The program as one CUDA graph: a replay instead of hundreds of launches, and nothing that waits for the GPU.

    All that it returns but the last is overwritten by the next call.
    """
    inputs = [tensor.clone() for tensor in example]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # whatever is set up on first use must be so before the capture
        for _ in range(3):
            program(*inputs)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = program(*inputs)

    def replay(*given: Tensor) -> list[Tensor]:
        torch._foreach_copy_(inputs, list(given))
        graph.replay()
        return [*outputs[:-1], outputs[-1].clone()]

    return replay


def _package(name: str) -> Path:
    """Where the compiled program of that name is kept. Everything that the machine code depends on is in the file's name."""
    cache = Path(os.environ.get("MAML_LAB_CACHE") or Path.home() / ".cache" / "maml_lab")
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    machine = (platform.node(), platform.machine(), torch.backends.cpu.get_cpu_capability())
    about = repr((name, torch.__version__, platform.python_version(), machine)).encode()
    return cache / f"{hashlib.sha256(about + sources).hexdigest()[:32]}.pt2"


def _without_repeats(program: GraphModule) -> GraphModule:
    """The traced program with repeated and dead operations removed."""
    try:
        from torch._functorch.compile_utils import fx_graph_cse  # no public name for it
    except ImportError:
        return program
    graph = fx_graph_cse(program.graph)
    graph.set_codegen(program.graph._codegen)  # fx_graph_cse forgets how arguments are unpacked
    program = GraphModule(program, graph)
    program.graph.eliminate_dead_code()
    program.recompile()
    return program
