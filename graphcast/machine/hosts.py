"""Several processes with devices of their own, each on a host perhaps, at one piece of work.

All run the same program on the same inputs: every process holds what is not on a device, a device
holds what `devices` puts there, and results reach every process. They meet in `exchange`; an error
on one of them ends all, within `together`, each with a sentence.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Float32

WELL, FAILED = "+", "-"  # how a message begins
WIDTH = 1024  # messages are filled up to multiples of this: few programs for all lengths

HOSTS, DEVICES = "hosts", "devices"
SPREAD = PartitionSpec(HOSTS, DEVICES)  # type: ignore[no-untyped-call]
ON_EVERY_HOST = PartitionSpec(None, DEVICES)  # type: ignore[no-untyped-call]


class StoppedError(ValueError):
    """Another process ended in an error, and told which."""


class LostError(OSError):
    """Another process is gone without a word."""


class PatientInterrupt:
    """A handler of SIGINT that keeps it until the next `exchange`; a second one does not wait.

    One that came while devices compute together would leave the others waiting there.
    """

    def __init__(self) -> None:
        self.came = False

    def __call__(self, *_: object) -> None:
        """Remember the signal."""
        if self.came:
            raise KeyboardInterrupt
        self.came = True


def process_count() -> int:
    """How many processes there are; asking does not start JAX."""
    return jax.process_count() if jax.distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the process that writes and speaks."""
    return process_count() == 1 or jax.process_index() == 0


def exchange(text: str = "") -> tuple[str, ...]:
    """What each process says, in their order; all must ask.

    Raises:
        StoppedError: a process has failed, in `together`, instead of coming here.
        LostError: a process is gone.
        KeyboardInterrupt: a `PatientInterrupt` is installed, and one came.
    """
    if process_count() == 1:
        return (text,)
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, PatientInterrupt) and handler.came:
        raise KeyboardInterrupt
    told = _told(WELL + text)
    for process, message in enumerate(told):
        if message.startswith(FAILED):
            raise StoppedError(f"process {process} of {len(told)} stopped: {message[1:]}")
    return tuple(message[1:] for message in told)


@contextmanager
def together() -> Iterator[None]:
    """Tell an error inside to the other processes, whose next `exchange` raises `StoppedError`.

    So whatever may fail on one process alone needs an `exchange` before all of them compute again.
    """
    try:
        yield
    except (StoppedError, LostError):
        raise
    except BaseException as error:
        if process_count() > 1:
            reason = " ".join(str(error).split()) or type(error).__name__
            if isinstance(error, KeyboardInterrupt):
                reason = "it was interrupted"
            _told(FAILED + reason)
        raise


def least(number: int) -> int:
    """The smallest of the numbers that the processes have."""
    return min(int(text) for text in exchange(str(number)))


def from_first(values: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    """Process 0's values on every process, bit for bit; the others give some of that shape."""
    # As integers: what JAX does is to add zeros, which turns -0.0 into 0.0.
    bits = multihost_utils.broadcast_one_to_all(np.ascontiguousarray(values).view(np.uint32))
    return np.asarray(bits).view(np.float32)


def gathered(
    frames: Float[Array, "windows blocks rows targets"], mesh: jax.sharding.Mesh
) -> Float[Array, "..."]:
    """Frames that are split over the devices of `mesh`, as an array that is whole on this host.

    It has the elements in their order, but its shape is [hosts, -1, rows, targets]. Each device
    receives what its fellows on the other hosts have, so that a host's devices together have all.
    """
    hosts = jax.process_count()
    if hosts == 1:
        return frames
    by_host = jax.sharding.Mesh(mesh.devices.reshape(hosts, -1), (HOSTS, DEVICES))
    windows, blocks, *block = frames.shape
    shape = (hosts, windows * blocks // hosts, *block)
    spread = _as_one(shape, NamedSharding(by_host, SPREAD), frames)
    whole = jax.jit(_same, out_shardings=NamedSharding(by_host, ON_EVERY_HOST))(spread)
    return _as_one(shape, NamedSharding(by_host.local_mesh, ON_EVERY_HOST), whole)


def _same(x: Array) -> Array:
    return x


def _as_one(shape: tuple[int, ...], sharding: NamedSharding, array: Array) -> Array:
    """The same buffers on the same devices, seen as an array of another shape."""
    parts = [shard.data for shard in array.addressable_shards]
    return jax.make_array_from_single_device_arrays(shape, sharding, parts)


def _told(message: str) -> list[str]:
    """What each process says, good or bad."""
    said = message.encode()
    try:
        lengths = multihost_utils.process_allgather(np.int32(len(said)))
        padded = np.zeros(-(-int(lengths.max()) // WIDTH) * WIDTH, np.uint8)
        padded[: len(said)] = np.frombuffer(said, np.uint8)
        rows = multihost_utils.process_allgather(padded)
    except (ValueError, RuntimeError) as error:  # gloo's errors arrive as ValueError
        raise LostError("another process is gone, and this one cannot go on alone") from error
    return [bytes(row[:n]).decode() for row, n in zip(rows, lengths, strict=True)]
