"""The files of a dataset of analyses: shards, metadata, coordinates; encoded by zarr.

**Blosc: LZ4 level 5 after bit shuffle, then CRC-32C.** Training waits for reading, and this reads
faster than Zstd, which leaves a little less (`benchmarks/RESULTS.md`, Codecs). A damaged chunk
raises when it is read; a lost shard reads as NaN, which every reader here refuses.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from jaxtyping import UInt8
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import MemoryStore

from data.stores.analyses.header import TIME_CHUNK, DatasetHeader
from data.stores.files import flush, written_aside
from data.stores.metadata import consolidate
from data.variables import VARIABLES


def write_shard(
    working_path: Path,
    header: DatasetHeader,
    group: int,
    name: str,
    values: np.ndarray,
    *,
    existing: Path | None = None,
    base: int = 0,
) -> None:
    """Write one variable's shard of a group, whole; nothing is committed.

    It takes about three times the size of the values in memory.

    Args:
        working_path: the store under construction.
        header: what the store is of.
        group: number of the group of times.
        name: the variable.
        values: [time, (level,) latitude, longitude], the times of the group from `base` on.
        existing: the store that has the earlier times, if times are added to one.
        base: how many times of the dataset are in `existing`.

    Raises:
        ValueError: the shape is not the header's, values are not finite, or the earlier times of
            the shard are lost.
    """
    values = np.asarray(values, dtype=np.float32)
    if values.shape[1:] != header.field_shape(name):
        raise ValueError(
            f"{name} must have the shape {header.field_shape(name)} at each time of this dataset,"
            f" got {values.shape[1:]}"
        )
    natural = VARIABLES[name].gaps is not None  # checked where the field was read
    if np.isinf(values).any() or (not natural and np.isnan(values).any()):
        raise ValueError(f"{name} must have a value everywhere, and some are missing (NaN)")
    start = group * header.group_times
    if existing is not None and start < base:
        earlier = zarr.open_array(existing / name, mode="r")[start:base]
        if not np.isfinite(earlier).all():
            raise ValueError(
                f"{existing} has lost a shard of {name}; make the dataset again (`overwrite`)"
            )
        values = np.concatenate([earlier, values])
    folder = working_path / name
    with written_aside(folder / _shard(header, name, group)) as path:
        _encoded(header, name, values).tofile(path)
    flush(folder)


def _encoded(header: DatasetHeader, name: str, values: np.ndarray) -> UInt8[np.ndarray, " bytes"]:
    """One shard as zarr writes it."""
    contents: dict[str, Any] = {}
    array = _create_field(zarr.create_group(MemoryStore(contents)), header, name, len(values))
    array[...] = values
    encoded: np.ndarray = contents[f"{name}/{_shard(header, name, 0)}"].as_numpy_array()
    return encoded


def _shard(header: DatasetHeader, name: str, group: int) -> str:
    return ".".join(["c", str(group), *("0" for _ in header.field_dims(name))])


def _create_field(group: zarr.Group, header: DatasetHeader, name: str, times: int) -> Any:
    shape = header.field_shape(name)
    return group.create_array(
        name,
        shape=(times, *shape),
        shards=(header.group_times, *shape),
        chunks=(1, *shape),
        dtype="float32",
        compressors=_codecs(),
        config={"write_empty_chunks": True},  # there are none, and looking takes time
        fill_value=np.nan,  # a lost shard must not read as zeros
        attributes={**header.variable_attrs(name)},
        dimension_names=("time", *header.field_dims(name)),
        chunk_key_encoding={"name": "default", "separator": "."},
    )


def _codecs() -> list[Any]:
    return [BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"), Crc32cCodec()]


def laid_out(
    header: DatasetHeader, times: np.ndarray, statics: Mapping[str, np.ndarray], made_with: str
) -> dict[str, bytes]:
    """Contents of all files of a store but the shards, by their paths in it.

    Args:
        header: what the store is of.
        times: all times that the store will have.
        statics: by name, [latitude, longitude].
        made_with: JSON text, the versions of the software.
    """
    contents: dict[str, Any] = {}
    memory = MemoryStore(contents)
    attributes = {**header.global_attrs(), "made_with": made_with}
    group = zarr.create_group(memory, zarr_format=3, attributes=attributes)
    constant = {
        name: xr.Variable(("latitude", "longitude"), statics[name], header.variable_attrs(name))
        for name in header.statics
    }
    for name, variable in {**header.coordinates(times), **constant}.items():
        array = group.create_array(
            name,
            shape=variable.shape,
            dtype=variable.dtype,
            chunks=(TIME_CHUNK,) if name == "time" else variable.shape,
            compressors=_codecs(),
            fill_value=np.nan if variable.dtype.kind == "f" else 0,
            attributes=variable.attrs,
            dimension_names=[str(dim) for dim in variable.dims],
            chunk_key_encoding={"name": "default", "separator": "."},
        )
        array[...] = variable.values
    for name in header.variables:
        _create_field(group, header, name, len(times))
    consolidate(memory)
    return {key: bytes(value.to_bytes()) for key, value in contents.items()}


def write_contents(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files by their paths in a folder, each whole."""
    for key, value in contents.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as temporary:
            temporary.write_bytes(value)
