"""Speed and compression of each codec for fields, beside a plain copy, in one JSON line.

    python benchmarks/codecs.py [--data era5.zarr --variables u_component_of_wind --resolution 0.25]

Fields are the packaged analyses, or the first time of `--data`, brought to `--resolution`. Each
codec runs on one core, in memory, on one time of a variable: `share` is the compressed part of the
size, `write` and `read` are MB of fields a CPU second. The bound is `copy_mb_per_second`: a plain
copy. Forecasts and planets use "blosc: shuffle, zstd 1, 1 MiB blocks, crc32c" (in Zarr's format 2,
"shuffle, zstd 1"), datasets "bitshuffle, lz4 5, crc32c".
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numcodecs
import numpy as np
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1]))

from data.regrid import regrid
from data.samples import analyses as packaged_analyses
from data.sources import open_inputs
from mesh.grid import LatLonGrid

WORD = 4  # bytes of a float32


def chain(*codecs: object) -> tuple[Callable, Callable]:
    """Encoder and decoder that apply codecs one after the other."""

    def encode(values):
        for codec in codecs:
            values = codec.encode(values)
        return values

    def decode(content):
        for codec in reversed(codecs):
            content = codec.decode(content)
        return content

    return encode, decode


def blosc(name: str, level: int, shuffle: int, block: int = 0) -> numcodecs.Blosc:
    return numcodecs.Blosc(cname=name, clevel=level, shuffle=shuffle, blocksize=block)


BYTES, BITS = numcodecs.Blosc.SHUFFLE, numcodecs.Blosc.BITSHUFFLE
CODECS = {
    "blosc: shuffle, zstd 1, 1 MiB blocks, crc32c": chain(
        blosc("zstd", 1, BYTES, block=2**20), numcodecs.CRC32C()
    ),
    "blosc: shuffle, zstd 3, 1 MiB blocks, crc32c": chain(
        blosc("zstd", 3, BYTES, block=2**20), numcodecs.CRC32C()
    ),
    "blosc: shuffle, zstd 1, crc32c": chain(blosc("zstd", 1, BYTES), numcodecs.CRC32C()),
    "shuffle, zstd 1": chain(numcodecs.Shuffle(WORD), numcodecs.Zstd(level=1, checksum=True)),
    "shuffle, zstd 3": chain(numcodecs.Shuffle(WORD), numcodecs.Zstd(level=3, checksum=True)),
    "blosc: bitshuffle, zstd 1": chain(blosc("zstd", 1, BITS)),
    "bitshuffle, lz4 5, crc32c": chain(blosc("lz4", 5, BITS), numcodecs.CRC32C()),
    "blosc: shuffle, lz4 5": chain(blosc("lz4", 5, BYTES)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a store or file; the packaged analyses, if not given")
    parser.add_argument("--variables", nargs="+", default=["u_component_of_wind", "geopotential"])
    parser.add_argument("--resolution", default="0.5", help="degrees that fields are brought to")
    parser.add_argument("--repeats", type=int, default=3, help="the best is reported")
    arguments = parser.parse_args()
    numcodecs.blosc.set_nthreads(1)
    source = arguments.data or str(packaged_analyses())
    first = open_inputs(source)[0].isel(time=[0])
    grid = LatLonGrid.named(arguments.resolution)
    results = {}
    for name in arguments.variables:
        field = field_of(first[[name]], grid, name)
        results[name] = measured(field, arguments.repeats)
    print(json.dumps({"benchmark": "codecs", "data": source, "grid": list(grid.shape), **results}))


def field_of(dataset: xr.Dataset, grid: LatLonGrid, name: str) -> np.ndarray:
    finer = regrid(dataset.load(), grid, method="bilinear")
    return np.ascontiguousarray(finer[name].values[0], np.float32)


def measured(field: np.ndarray, repeats: int) -> dict[str, object]:
    megabytes = field.nbytes / 1e6
    flat = field.reshape(-1)
    results: dict[str, object] = {
        "megabytes": round(megabytes, 1),
        "copy_mb_per_second": round(megabytes / best(flat.copy, repeats)),
    }
    for name, (encode, decode) in CODECS.items():
        content = encode(flat)
        restored = np.frombuffer(decode(content), np.float32)
        if restored.tobytes() != flat.tobytes():
            raise RuntimeError(f"{name} does not give the field back")
        results[name] = {
            "share": round(len(bytes(content)) / field.nbytes, 3),
            "write": round(megabytes / best(lambda e=encode: e(flat), repeats)),
            "read": round(megabytes / best(lambda d=decode, c=content: d(c), repeats)),
        }
    return results


def best(work: Callable[[], object], repeats: int) -> float:
    """CPU seconds of the fastest run, which a busy machine changes least."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
