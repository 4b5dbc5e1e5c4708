"""How a step is executed over and over: as it is written, traced to a flat list of tensor operations, or compiled.

Knows nothing of what is computed. Compiled programs are kept, so that the next run of the same kind starts at once.
"""

import functools
import hashlib
import logging
import platform
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.passes.dialect.common.cse_pass import CSEPass, get_CSE_banned_ops
from torch.utils._pytree import tree_leaves, tree_map, tree_structure, tree_unflatten

from maml_core import cache, compiling
from maml_core.compiling import CannotCompile
from maml_core.rewriting import rewritten

Program = Callable[..., list[Tensor]]
"""A pure function of tensors."""

_log = logging.getLogger(__name__)


def scan(
    step: Callable[[Any, Any], tuple[Any, Tensor]], carry: Any, x: Any, *, path: str, name: str = ""
) -> Callable[[Any, Any], tuple[Any, Tensor]]:
    """step(carry, x) -> (carry, y), made into (carry, xs) -> (carry, ys) along the first dimension of every leaf of xs.

    carry, x: examples; every later one has their shapes, and is on their device. path: one of config.PATHS.
    name: identifies the step among all others; what is compiled under it (see `is_compiled`) is not compiled again. Without
    one nothing is kept.

    Raises:
        CannotCompile: on the compiled path, where this machine cannot.
    """
    form, example = tree_structure((carry, x)), tree_leaves((carry, x))
    example = [tensor.clone() for tensor in example]  # tracing takes equal objects for one
    device = example[0].device

    def flat(*inputs: Tensor) -> list[Tensor]:
        return tree_leaves(step(*tree_unflatten(list(inputs), form)))

    program: Program = flat
    with torch.no_grad():
        if path == "compiled":
            program = _compiled(flat, example, name, device)
        elif path == "traced":
            program = _traced(flat, example)
        if device.type == "cuda" and path != "compiled":
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
    """Whether the compiled path is ready for a step of that name on the CPU, so that choosing it costs nothing."""
    return cache.find(_key(name)) is not None


def hindrance(name: str, device: torch.device) -> str:
    """Why it is no use to try to compile a step of that name, or "". Found in milliseconds.

    What failed before is not tried again until something in its environment has changed, or some days have gone by.
    """
    if device.type == "cpu":
        try:
            compiling.check()
        except CannotCompile as error:
            return str(error)
    known = next(filter(None, map(cache.remembered, _failures(name, device)[0 if name else 1 :])), "")
    return known and f"{known} (it failed so before; --path compiled tries again)"


def _traced(program: Program, example: list[Tensor]) -> GraphModule:
    """The program as a flat list of tensor operations, each done once."""
    return _without_repeats(make_fx(program)(*example))


def _compiled(program: Program, example: list[Tensor], name: str, device: torch.device) -> Program:
    """The program as machine code, kept from an earlier time if it was for the CPU."""
    if name and device.type == "cpu" and (kept := cache.find(_key(name))):
        try:
            program = compiling.load(kept)
            cache.used(kept)
            return program
        except CannotCompile:
            if _is_whole(kept):
                raise
    traced = _traced(program, example)
    here, everywhere = _failures(name, device)
    try:
        compiled = _compiled_for_cpu(traced, example, name) if device.type == "cpu" else _compiled_elsewhere(traced, example)
    except CannotCompile as error:
        if not error.passing and (name or error.everywhere):
            cache.remember(everywhere if error.everywhere else here, str(error))
        raise
    cache.forget(here)
    cache.forget(everywhere)
    return compiled


def _compiled_for_cpu(program: GraphModule, example: list[Tensor], name: str) -> Program:
    compiling.check()
    program = _without_repeats(rewritten(program, example))
    with tempfile.TemporaryDirectory(prefix="maml-lab-", ignore_cleanup_errors=True) as folder:
        package = Path(folder) / "program.pt2"
        compiling.compile_into(package, program, example)
        try:
            if name:
                cache.keep(_key(name), package.read_bytes())
        except OSError as error:
            _log.warning(
                "what is compiled cannot be kept (%s), so that every run compiles anew; "
                "set MAML_LAB_CACHE to a folder that can be written",
                error,
            )
        return compiling.load(package)


def _compiled_elsewhere(program: GraphModule, example: list[Tensor]) -> Program:
    compiled = compiling.compile_here(program, example)
    if example[0].device.type != "cuda":
        return compiled
    try:
        return _captured(compiled, example)
    except RuntimeError as error:
        raise CannotCompile(f"what was compiled cannot be made into a CUDA graph: {str(error).splitlines()[0]}") from error


def _captured(program: Program, example: list[Tensor]) -> Program:
    """The program as one CUDA graph: a replay instead of hundreds of launches, and nothing that waits for the GPU.

    All that it returns but the last is overwritten by the next call.
    """
    inputs = [tensor.clone() for tensor in example]
    with torch.cuda.device(example[0].device):
        graph, outputs = _graph(program, inputs)

    def replay(*given: Tensor) -> list[Tensor]:
        torch._foreach_copy_(inputs, list(given))
        graph.replay()
        return [*outputs[:-1], outputs[-1].clone()]

    return replay


def _graph(program: Program, inputs: list[Tensor]) -> tuple[torch.cuda.CUDAGraph, list[Tensor]]:
    """The program captured, from these inputs to these outputs."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # whatever is set up on first use must be so before the capture
        for _ in range(3):
            program(*inputs)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = program(*inputs)
    return graph, outputs


def _key(name: str) -> str:
    """What the compiled program of that name is kept under. Everything that the machine code depends on is in it.

    Of the sources these are the modules of the mathematics, which stand right in this folder. What is in folders below it
    imports them and is imported by none of them, so that it reaches no program (tests/engine/test_layers.py).
    """
    machine = (platform.node(), platform.machine(), torch.backends.cpu.get_cpu_capability())
    return _digest((name, torch.__version__, platform.python_version(), machine, _sources()))


@functools.cache
def _sources() -> str:
    """A digest of the modules that this process was started from: whoever lists many runs asks for many keys."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


def _failures(name: str, device: torch.device) -> tuple[str, str]:
    """What is remembered under: that this program cannot be compiled here, and that none can."""
    here = (device.type, compiling.environment())
    return _digest((_key(name), here)), _digest(here)


def _digest(about: Any) -> str:
    return hashlib.sha256(repr(about).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _is_whole(package: Path) -> bool:
    """Whether what was kept is undamaged, so that another one would be no better."""
    try:
        with zipfile.ZipFile(package) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _without_repeats(program: GraphModule) -> GraphModule:
    """The traced program with repeated and dead operations removed."""
    shorter = CSEPass(get_CSE_banned_ops())(program)
    assert shorter is not None  # of the general type of passes alone
    graph = shorter.graph_module.graph
    graph.set_codegen(program.graph._codegen)  # the pass forgets how arguments are unpacked
    program = GraphModule(program, graph)
    program.graph.eliminate_dead_code()
    program.recompile()
    return program
