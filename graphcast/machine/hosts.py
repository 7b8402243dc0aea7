"""Several processes, each with its own devices and perhaps its own host, at one computation.

All run the same program on the same inputs. Every process holds all host arrays; device arrays are
spread as `devices` says, and results reach every process. `exchange` is the barrier where they
meet. Within `together` an error in one process ends all of them, each with a sentence.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Float32

from graphcast.machine.lost import LostError, StoppedError

WELL, FAILED = "+", "-"  # first character of a message
WIDTH = 1024  # bytes; messages are padded to multiples of it, so that few programs are compiled

HOSTS, DEVICES = "hosts", "devices"
SPREAD = PartitionSpec(HOSTS, DEVICES)  # type: ignore[no-untyped-call]
ON_EVERY_HOST = PartitionSpec(None, DEVICES)  # type: ignore[no-untyped-call]


class PatientInterrupt:
    """A SIGINT handler that waits for the next `exchange`; a second SIGINT interrupts at once.

    An interrupt during a collective would leave the other processes waiting in it.
    """

    def __init__(self) -> None:
        self.came = False

    def __call__(self, *_: object) -> None:
        """Remember the signal."""
        if self.came:
            raise KeyboardInterrupt
        self.came = True


def process_count() -> int:
    """How many processes there are, without starting JAX."""
    return jax.process_count() if jax.distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the process that writes files and reports to the user."""
    return process_count() == 1 or jax.process_index() == 0


def exchange(text: str = "") -> tuple[str, ...]:
    """The text of each process, in their order: a collective, which every process must call.

    Raises:
        StoppedError: another process failed within `together` instead.
        LostError: another process is gone.
        KeyboardInterrupt: an installed `PatientInterrupt` has caught a SIGINT.
    """
    if process_count() == 1:
        return (text,)
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, PatientInterrupt) and handler.came:
        raise KeyboardInterrupt
    messages = _all_messages(WELL + text)
    for process, message in enumerate(messages):
        if message.startswith(FAILED):
            raise StoppedError(f"process {process} of {len(messages)} stopped: {message[1:]}")
    return tuple(message[1:] for message in messages)


@contextmanager
def together() -> Iterator[None]:
    """Report an error inside to the other processes; their next `exchange` raises `StoppedError`.

    Code that can fail in one process alone therefore needs an `exchange` before the next collective
    computation.
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
            _all_messages(FAILED + reason)
        raise


def least(number: int) -> int:
    """The smallest number that any process passes: a collective."""
    return min(int(text) for text in exchange(str(number)))


def from_first(values: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    """Process 0's values on every process, bit for bit; the others pass any of that shape."""
    # As integers: JAX broadcasts by adding zeros, which turns -0.0 into 0.0.
    bits = multihost_utils.broadcast_one_to_all(np.ascontiguousarray(values).view(np.uint32))
    return np.asarray(bits).view(np.float32)


def gathered(
    frames: Float[Array, "windows blocks rows targets"], device_mesh: jax.sharding.Mesh
) -> Float[Array, "..."]:
    """Frames spread over all hosts as an array that this host's devices hold whole.

    The elements keep their order; the shape becomes [hosts, -1, rows, targets]. Each device
    receives the parts of its counterparts on the other hosts (an all-gather between hosts).
    """
    hosts = jax.process_count()
    if hosts == 1:
        return frames
    by_host = jax.sharding.Mesh(device_mesh.devices.reshape(hosts, -1), (HOSTS, DEVICES))
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


def _all_messages(message: str) -> list[str]:
    """The message of each process, good or bad."""
    text = message.encode()
    try:
        lengths = multihost_utils.process_allgather(np.int32(len(text)))
        padded = np.zeros(-(-int(lengths.max()) // WIDTH) * WIDTH, np.uint8)
        padded[: len(text)] = np.frombuffer(text, np.uint8)
        rows = multihost_utils.process_allgather(padded)
    except (ValueError, RuntimeError) as error:  # gloo's errors arrive as ValueError
        raise LostError("another process is gone, and this one cannot go on alone") from error
    return [bytes(row[:n]).decode() for row, n in zip(rows, lengths, strict=True)]
