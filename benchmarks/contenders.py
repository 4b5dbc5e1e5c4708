"""The reference workload as other libraries' users write it, each ready to run any number of meta-iterations.

Sinusoids, MLP 1-40-40-1 ReLU, 25 tasks, 10 support and 10 query points, one inner step of 0.01, exact second-order meta-gradient,
Adam 1e-3, task sampling included, float32. `CONTENDERS[device][name](threads)` returns `run(iterations)`.
"""

import math
import os
from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn

from maml_core.config import TrainConfig
from maml_core.training import BLOCK, PATHS, meta_train

T, K, ALPHA, BETA = 25, 10, 0.01, 0.001
Run = Callable[[int], None]


def ours(path: str, device: str = "cpu") -> Callable[[int], Run]:
    """This project on one of its paths."""

    def make(threads: int) -> Run:
        torch.set_num_threads(threads)
        records = meta_train(TrainConfig(max_steps=10_000_000), path=path, device=device)  # the reference workload is the default

        def run(iterations: int) -> None:
            for _ in range(0, iterations, BLOCK):
                next(records)

        return run

    return make


def jax_scan(threads: int, platform: str = "cpu") -> Run:
    """JAX: jit of a lax.scan over 100 meta-iterations, optax's Adam."""
    parallel = str(threads > 1).lower()
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={parallel} intra_op_parallelism_threads={threads}"
    os.environ["JAX_PLATFORMS"] = platform
    import jax
    import jax.numpy as jnp
    import optax

    def forward(params, x):
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = params[-1]
        return x @ w + b

    def loss(params, x, y):
        return jnp.mean((forward(params, x) - y) ** 2)

    def task(params, xs, ys, xq, yq):
        phi = jax.tree.map(lambda p, g: p - ALPHA * g, params, jax.grad(loss)(params, xs, ys))
        return loss(phi, xq, yq)

    def objective(params, key):
        amplitude, phase, x = (jax.random.uniform(k, s) for k, s in zip(jax.random.split(key, 3), SHAPES, strict=True))
        x = 10 * x - 5
        y = (0.1 + 4.9 * amplitude) * jnp.sin(x - math.pi * phase)
        return jax.vmap(task, (None, 0, 0, 0, 0))(params, x[:, :K], y[:, :K], x[:, K:], y[:, K:]).mean()

    optimiser = optax.adam(BETA)

    def step(carry, key):
        params, state = carry
        value, g = jax.value_and_grad(objective)(params, key)
        updates, state = optimiser.update(g, state, params)
        return (optax.apply_updates(params, updates), state), value

    @jax.jit
    def block(carry, key):
        key, now = jax.random.split(key)
        carry, values = jax.lax.scan(step, carry, jax.random.split(now, BLOCK))
        return carry, key, values

    def layer(key, fan_in, fan_out):
        bound = fan_in**-0.5
        for_w, for_b = jax.random.split(key)
        return (
            jax.random.uniform(for_w, (fan_in, fan_out), minval=-bound, maxval=bound),
            jax.random.uniform(for_b, (fan_out,), minval=-bound, maxval=bound),
        )

    key = jax.random.key(0)
    params = [layer(k, *s) for k, s in zip(jax.random.split(key, 3), [(1, 40), (40, 40), (40, 1)], strict=True)]
    at = [(params, optimiser.init(params)), key]

    def run(iterations: int) -> None:
        for _ in range(0, iterations, BLOCK):
            at[0], at[1], values = block(*at)
            values.block_until_ready()

    return run


SHAPES = [(T, 1, 1), (T, 1, 1), (T, 2 * K, 1)]


def _network() -> nn.Module:
    return nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))


def _tasks() -> Iterable[tuple[Tensor, Tensor, Tensor, Tensor]]:
    amplitude, phase, x = (torch.rand(shape) for shape in SHAPES)
    x = 10 * x - 5
    y = (0.1 + 4.9 * amplitude) * torch.sin(x - math.pi * phase)
    return zip(x[:, :K], y[:, :K], x[:, K:], y[:, K:], strict=True)


def _outer_loop(threads: int, meta_loss: Callable[[nn.Module], Tensor]) -> Run:
    torch.set_num_threads(threads)
    net = _network()
    adam = torch.optim.Adam(net.parameters(), lr=BETA)

    def run(iterations: int) -> None:
        for _ in range(iterations):
            adam.zero_grad()
            meta_loss(net).backward()
            adam.step()

    return run


def higher_loop(threads: int) -> Run:
    """higher: innerloop_ctx for each task."""
    import higher

    inner: list[torch.optim.Optimizer] = []

    def meta_loss(net: nn.Module) -> Tensor:
        inner[:] = inner or [torch.optim.SGD(net.parameters(), lr=ALPHA)]
        total = torch.zeros(())
        for xs, ys, xq, yq in _tasks():
            with higher.innerloop_ctx(net, inner[0], copy_initial_weights=False) as (phi, optimiser):
                optimiser.step(((phi(xs) - ys) ** 2).mean())
                total = total + ((phi(xq) - yq) ** 2).mean()
        return total / T

    return _outer_loop(threads, meta_loss)


def cloning_loop(threads: int) -> Run:
    """What learn2learn's MAML does (it does not build on current Pythons): a module for each task, its weights replaced."""
    from torch.func import functional_call

    def meta_loss(net: nn.Module) -> Tensor:
        total = torch.zeros(())
        for xs, ys, xq, yq in _tasks():
            theta = {name: value.clone() for name, value in net.named_parameters()}
            support = ((functional_call(net, theta, xs) - ys) ** 2).mean()
            g = torch.autograd.grad(support, list(theta.values()), create_graph=True)
            phi = {name: value - ALPHA * d for (name, value), d in zip(theta.items(), g, strict=True)}
            total = total + ((functional_call(net, phi, xq) - yq) ** 2).mean()
        return total / T

    return _outer_loop(threads, meta_loss)


def torchopt_loop(threads: int) -> Run:
    """TorchOpt: MetaSGD with its state extracted and put back for each task."""
    import torchopt

    inner: list = []

    def meta_loss(net: nn.Module) -> Tensor:
        inner[:] = inner or [torchopt.MetaSGD(net, lr=ALPHA)]
        total = torch.zeros(())
        start = torchopt.extract_state_dict(net, by="reference"), torchopt.extract_state_dict(inner[0], by="reference")
        for xs, ys, xq, yq in _tasks():
            inner[0].step(((net(xs) - ys) ** 2).mean())
            total = total + ((net(xq) - yq) ** 2).mean()
            torchopt.recover_state_dict(net, start[0])
            torchopt.recover_state_dict(inner[0], start[1])
        return total / T

    return _outer_loop(threads, meta_loss)


CONTENDERS: dict[str, dict[str, Callable[[int], Run]]] = {
    "cpu": {
        **{f"maml_core, {path}": ours(path) for path in reversed(PATHS)},
        "JAX jit + scan, optax": jax_scan,
        "TorchOpt": torchopt_loop,
        "learn2learn's way": cloning_loop,
        "higher": higher_loop,
    },
    "cuda": {
        **{f"maml_core, {path}, CUDA": ours(path, "cuda") for path in reversed(PATHS)},
        "maml_core, compiled, CPU": ours("compiled"),
        "JAX jit + scan, optax, CUDA": partial(jax_scan, platform="cuda"),
    },
}
