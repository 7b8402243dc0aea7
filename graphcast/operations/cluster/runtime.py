"""How JAX is set up, and where built graphs and compiled programs are kept between runs.

The caches are in `$XDG_CACHE_HOME/graphcast`. Nothing outside this module configures JAX.
"""

import os
import signal
import sys
from functools import cache
from pathlib import Path

import jax
import jax.monitoring

from data import malloc as heap
from forecast_cli.terminal import errors
from graphcast.machine.hosts import PatientInterrupt
from graphcast.operations.cluster.rendezvous import meet, seat

COMPILED = "/jax/core/compile/backend_compile_duration"  # JAX's name of the event
LONG_COMPILATION = 0.5  # seconds, from which on a program is kept, and its compiler's memory not
SHUTDOWN = 30  # seconds that a process waits for the others when all is done


def cache_folder() -> Path | None:
    """The user's cache folder for this program, or None where it cannot be written."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "graphcast"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # a cache is a convenience: a read-only home must not stop a forecast
    return folder if os.access(folder, os.W_OK) else None


def graph_cache() -> Path | None:
    """Folder of built graphs."""
    folder = cache_folder()
    return None if folder is None else folder / "graphs"


def use_compilation_cache() -> None:
    """Let JAX keep compiled programs, so that the second run starts at once."""
    folder = cache_folder()
    if folder is None or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    settings = {
        "jax_compilation_cache_dir": str(folder / "compiled"),
        "jax_persistent_cache_min_compile_time_secs": LONG_COMPILATION,
    }
    for name, value in settings.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]  # jax's own


def prepare_to_compile() -> None:
    """Keep compiled programs for the next run, and give back the memory that compiling took."""
    use_compilation_cache()
    give_back_after_compiling()


@cache
def give_back_after_compiling() -> None:
    """Have what the compiler freed at the system's disposal before its program runs.

    It is some 300 MiB on a CPU, which the heap would keep beside all that the program needs.
    """
    jax.monitoring.register_event_duration_secs_listener(_when_compiled)


def _when_compiled(event: str, duration_secs: float, **kwargs: str | int) -> None:
    if event == COMPILED and duration_secs > LONG_COMPILATION:
        heap.give_back()


def use_deterministic_kernels() -> None:
    """Let XLA choose kernels that add in a fixed order; must come before the first computation.

    Sums at receivers are scatters, which a GPU otherwise adds in any order. A CPU always adds in
    the same order.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true".strip()


def join(coordinator: str | None, process: int | None, processes: int | None) -> None:
    """Make this process one of several if the flags say so; must come before JAX starts.

    Their devices are then those of one machine, as far as JAX is concerned.
    """
    own = seat(coordinator, process, processes)
    if coordinator is None or (own is not None and own.processes == 1):
        return
    if own is not None:
        _introduce(own.process, own.processes, f", meeting at {own.address}")
        meet(own)
    # Otherwise JAX catches SIGTERM, and tells only those who ask.
    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]
    use_compilation_cache()  # which cannot start once something was compiled
    if own is None:
        _join_cluster()
    else:
        jax.distributed.initialize(
            own.address,
            own.processes,
            own.process,
            cluster_detection_method="deactivate",  # or it might leave us one device of ours
            shutdown_timeout_seconds=SHUTDOWN,
        )
    signal.signal(signal.SIGINT, PatientInterrupt())
    _check_devices()
    if jax.default_backend() == "cpu":
        _keep_stdout_for_python()


def _introduce(process: int, processes: int, where: str = "") -> None:
    errors.print(f"process {process} of {processes}{where}; process 0 writes the forecast")


def _join_cluster() -> None:
    """Join the processes that the cluster has started, each with the device that it gives it."""
    try:
        jax.distributed.initialize(shutdown_timeout_seconds=SHUTDOWN)
    except ValueError as error:
        raise ValueError(
            "--coordinator auto finds no cluster that JAX knows (Slurm, Open MPI, Cloud TPU); give "
            "host and port of process 0, --process and --processes"
        ) from error
    _introduce(jax.process_index(), jax.process_count())


def _keep_stdout_for_python() -> None:
    """Gloo, JAX's means on CPUs, writes to stdout whom it is connected to; nobody asked."""
    sys.stdout.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", 1, encoding="utf-8", closefd=False)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def _check_devices() -> None:
    """Refuse processes with unequal numbers of devices, which cannot even tell each other so."""
    owners = [device.process_index for device in jax.devices()]
    each = [owners.count(process) for process in range(jax.process_count())]
    if len(set(each)) > 1:
        jax.distributed.shutdown()  # type: ignore[no-untyped-call]
        raise ValueError(
            "every process needs as many devices as the others, and these have "
            f"{', '.join(map(str, each))}; hide some where there are more"
        )


def device_count(asked: int | None, windows: int) -> int:
    """How many devices a forecast of so many windows uses; `ValueError` when they are not here."""
    found, processes = jax.device_count(), jax.process_count()
    if processes > 1:
        if asked is not None and (not 1 <= asked <= found or asked % processes):
            raise ValueError(
                f"--devices counts those of all {processes} processes, as many on each: a multiple "
                f"of {processes} up to {found}, not {asked}"
            )
        return asked or found
    if asked is None:
        return min(windows, found)
    if not 1 <= asked <= found:
        raise ValueError(f"--devices counts from 1 to the {found} that are here, not {asked}")
    return asked
