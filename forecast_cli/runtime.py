"""How JAX is set up, and where built graphs and compiled programs are kept between runs.

The caches are in `$XDG_CACHE_HOME/graphcast`. Nothing outside this module configures JAX.
"""

import os
from pathlib import Path

import jax


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
        "jax_persistent_cache_min_compile_time_secs": 0.5,
    }
    for name, value in settings.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]  # jax's own


def use_deterministic_kernels() -> None:
    """Let XLA choose kernels that add in a fixed order; must come before the first computation.

    Sums at receivers are scatters, which a GPU otherwise adds in any order. A CPU always adds in
    the same order.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true".strip()


def device_count(asked: int | None, windows: int) -> int:
    """How many devices a forecast of so many windows uses; `ValueError` when they are not here."""
    found = jax.device_count()
    if asked is None:
        return min(windows, found)
    if not 1 <= asked <= found:
        raise ValueError(f"--devices counts from 1 to the {found} that are here, not {asked}")
    return asked
