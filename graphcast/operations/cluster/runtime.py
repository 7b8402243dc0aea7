"""Set up JAX: caches, deterministic kernels, and several processes as one machine.

Built graphs and compiled programs are cached in `$XDG_CACHE_HOME/graphcast`. No other module
configures JAX.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jax
import jax.monitoring

from data import malloc
from graphcast.machine.hosts import PatientInterrupt
from graphcast.operations.cluster.rendezvous import meet, seat

COMPILED = "/jax/core/compile/backend_compile_duration"  # JAX's name of the event
LONG_COMPILATION = 0.5  # seconds; programs that take longer are cached
SHUTDOWN = 30  # seconds that a process waits for the others at the end


def cache_folder() -> Path | None:
    """The user's cache folder for graphcast, or None if it cannot be written."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "graphcast"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # a read-only home must not stop a forecast
    return folder if os.access(folder, os.W_OK) else None


def graph_cache() -> Path | None:
    """The folder in which built graphs are cached, or None if it cannot be written."""
    folder = cache_folder()
    return None if folder is None else folder / "graphs"


def use_compilation_cache() -> None:
    """Cache compiled programs on disk, so that the next run does not compile them again."""
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
    """Cache compiled programs, and return the compiler's memory to the system; call it once."""
    use_compilation_cache()
    give_back_after_compiling()


@cache
def give_back_after_compiling() -> None:
    """Return memory that the compiler freed to the system before the compiled program runs.

    On a CPU it is about 300 MiB, which the heap would otherwise hold for the rest of the run.
    """
    jax.monitoring.register_event_duration_secs_listener(_when_compiled)


def _when_compiled(event: str, duration_secs: float, **kwargs: str | int) -> None:
    if event == COMPILED and duration_secs > LONG_COMPILATION:
        malloc.give_back()


def use_deterministic_kernels() -> None:
    """Make XLA use kernels that add in a fixed order; call it before the first computation.

    The sum at a receiver is a scatter, which a GPU otherwise adds in varying order. A CPU's order
    is always fixed.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true".strip()


def join(
    coordinator: str | None,
    process: int | None,
    processes: int | None,
    *,
    report: Callable[[str], None],
) -> None:
    """Make this process one of several that JAX sees as one machine; call it before JAX starts.

    Args:
        coordinator: host and port of process 0, or "auto" where a cluster has started the
            processes; None for a process on its own, which this leaves alone.
        process: number of this process, from 0; None with "auto".
        processes: how many there are; None with "auto".
        report: is called with a line that says which process this is.

    Raises:
        ValueError: the three contradict each other, a process does not come, or the processes have
            unequal numbers of devices.
    """
    place = seat(coordinator, process, processes)
    if coordinator is None or (place is not None and place.processes == 1):
        return
    if place is not None:
        report(_introduction(place.process, place.processes, f", meeting at {place.address}"))
        meet(place)
    # JAX's preemption service would catch SIGTERM without ending the process.
    jax.config.update("jax_enable_preemption_service", False)  # type: ignore[no-untyped-call]
    use_compilation_cache()  # the cache cannot be set up once something has been compiled
    if place is None:
        _join_cluster()
        report(_introduction(jax.process_index(), jax.process_count()))
    else:
        jax.distributed.initialize(
            place.address,
            place.processes,
            place.process,
            cluster_detection_method="deactivate",  # a detected cluster could hide devices
            shutdown_timeout_seconds=SHUTDOWN,
        )
    signal.signal(signal.SIGINT, PatientInterrupt())
    _check_devices()
    if jax.default_backend() == "cpu":
        _keep_stdout_for_python()


def _introduction(process: int, processes: int, where: str = "") -> str:
    return f"process {process} of {processes}{where}; process 0 writes the forecast"


def _join_cluster() -> None:
    """Join the processes that the cluster has started, with the devices it assigns to each."""
    try:
        jax.distributed.initialize(shutdown_timeout_seconds=SHUTDOWN)
    except ValueError as error:
        raise ValueError(
            "`coordinator` auto finds no cluster that JAX knows (Slurm, Open MPI, Cloud TPU); give "
            "host and port of process 0, `process` and `processes`"
        ) from error


def _keep_stdout_for_python() -> None:
    """Keep Gloo, JAX's collectives on CPUs, from writing its connections to stdout."""
    sys.stdout.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", 1, encoding="utf-8", closefd=False)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def _check_devices() -> None:
    """Refuse unequal numbers of devices: no collective, not even an error message, would work."""
    owners = [device.process_index for device in jax.devices()]
    each = [owners.count(process) for process in range(jax.process_count())]
    if len(set(each)) > 1:
        jax.distributed.shutdown()  # type: ignore[no-untyped-call]
        raise ValueError(
            "every process needs as many devices as the others, and these have "
            f"{', '.join(map(str, each))}; hide some where there are more"
        )


def use_every_core() -> None:
    """Let a CPU show one device for each of its cores; call it before the first computation.

    Samples that run side by side, one on each core, take less time than one after the other on all
    cores: `benchmarks/training.py` times both. A number that XLA_FLAGS gives is left as it is.
    """
    if "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    with contextlib.suppress(RuntimeError):  # JAX has started: its devices stay as they are
        jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))  # type: ignore[no-untyped-call]


def devices_for_batch(asked: int | None, batch: int) -> int:
    """How many devices share a batch, each of them equally.

    Args:
        asked: the number that the user asked for. None means as many as divide the batch.
        batch: samples in an update.

    Raises:
        ValueError: there are fewer devices, or the batch cannot be shared so.
    """
    present, processes = jax.device_count(), jax.process_count()
    possible = [n for n in range(processes, present + 1, processes) if batch % n == 0]
    if not possible:
        raise ValueError(
            f"{processes} processes share a batch equally, and one of {batch} samples cannot be; "
            f"use a `batch` that is a multiple of {processes}"
        )
    if asked is None:
        return possible[-1]
    if asked not in possible:
        raise ValueError(
            f"`devices` share a batch of {batch} samples equally, so here there may be "
            f"{' or '.join(map(str, possible))}, not {asked}"
        )
    return asked


def device_count(asked: int | None, windows: int) -> int:
    """How many devices a forecast uses.

    Args:
        asked: the number that the user asked for. None means one device for each window as far as
            there are devices, or all devices of several processes.
        windows: init times times members.

    Raises:
        ValueError: there are fewer devices, or the processes cannot share them equally.
    """
    present, processes = jax.device_count(), jax.process_count()
    if processes > 1:
        if asked is not None and (not 1 <= asked <= present or asked % processes):
            raise ValueError(
                f"`devices` counts those of all {processes} processes, as many on each: a multiple "
                f"of {processes} up to {present}, not {asked}"
            )
        return asked or present
    if asked is None:
        return min(windows, present)
    if not 1 <= asked <= present:
        raise ValueError(f"`devices` counts from 1 to the {present} that are here, not {asked}")
    return asked
