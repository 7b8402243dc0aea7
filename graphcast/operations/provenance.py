"""Hashes and versions, which every output records."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from data.windows import Window

PACKAGES = ("graphcast", "jax", "jaxlib", "equinox", "xarray", "zarr", "numpy")


def provenance(**made_from: Any) -> str:
    """`made_from` as JSON, with the versions of packages and the kind of device."""
    return json.dumps(
        {
            **made_from,
            "versions": {name: version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "device": jax.devices()[0].device_kind,
        },
        sort_keys=True,
    )


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def window_sha256(window: Window, until: np.datetime64) -> str:
    """SHA-256 (hex) of the names and values of a window's frames and of later forcings in files.

    Args:
        window: what is hashed.
        until: the last valid time of the forecast; forcings after it are not read.
    """
    digest = hashlib.sha256()
    files = window.later_forcings.datasets
    used = [file.sel(time=file["time"] <= until) if "time" in file.dims else file for file in files]
    for dataset in (window.frames, *used):
        for name in sorted(str(name) for name in dataset.variables):
            values = np.ascontiguousarray(dataset[name].values)
            digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()
