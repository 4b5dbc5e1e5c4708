"""Meta-iterations a second on the reference workload, side by side: this project's paths and other libraries, in turns.

`python -m benchmarks.peers [--device cpu|cuda] [--threads 1] [--rounds 5] [--seconds 2]`. The ratios are the result.
What is not installed is left out; `pip install -r requirements-peers.txt` brings it. Each has a process of its own, which only
works in its turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from benchmarks import options

BATCH = 100
"""Meta-iterations between two looks at the clock; the slow ones look after every fifth."""


def main() -> None:
    """Measure and print."""
    from benchmarks.contenders import CONTENDERS

    parser = options.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=CONTENDERS, default="cpu")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.device, args.threads, args.seconds)
        return
    if args.quick:
        args.rounds, args.seconds = 1, 0.1
    workers = {}
    for name in CONTENDERS[args.device]:
        if args.quick and "compiled" in name:
            print(f"{name:24} left out: compiling takes too long for --quick")
            continue
        began = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.peers", "--serve", name]
        command += ["--device", args.device, "--threads", str(args.threads), "--seconds", str(args.seconds)]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert worker.stdin
        assert worker.stdout
        assert worker.stderr
        if worker.stdout.readline().strip() == "ready":
            print(f"{name:24} ready after {time.perf_counter() - began:5.1f} s", flush=True)
            workers[name] = worker
        else:
            print(f"{name:24} left out: {worker.stderr.read().strip().splitlines()[-1]}", flush=True)
    rates: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(args.rounds):
        for name, worker in workers.items():
            assert worker.stdout
            print("go", file=worker.stdin, flush=True)
            rates[name].append(float(worker.stdout.readline()))
    if not rates:
        raise SystemExit("there is nothing to measure here")
    first = next(iter(rates))
    print(f"\n{args.threads} thread(s), median of {args.rounds} turns of {args.seconds:g} s")
    for name, measured in rates.items():
        # Turn by turn, so that a machine that slows down for a while slows down both.
        ratio = statistics.median(a / b for a, b in zip(rates[first], measured, strict=True))
        print(f"{name:24} {statistics.median(measured):8,.0f} iterations/s   {first} is {ratio:6.2f} x as fast")
    for worker in workers.values():
        worker.terminate()


def serve(name: str, device: str, threads: int, seconds: float) -> None:
    """One contender: says "ready", then answers each line with the rate it came to."""
    if hasattr(os, "sched_setaffinity"):  # as many cores as threads, whatever a library starts by itself
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    from benchmarks.contenders import CONTENDERS

    try:
        run = CONTENDERS[device][name](threads)
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error.name} is not installed; pip install -r requirements-peers.txt brings it") from None
    batch = BATCH if name.startswith(("maml_core", "JAX")) else 5
    run(batch)
    print("ready", flush=True)
    for _ in sys.stdin:
        began, done = time.perf_counter(), 0
        while not done or time.perf_counter() - began < seconds:
            run(batch)
            done += batch
        print(done / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    main()
