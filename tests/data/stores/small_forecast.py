"""A small forecast, written whole or in part."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.stores import ForecastHeader, ForecastStore

LATITUDE = tuple(np.linspace(-90.0, 90.0, 7))

LONGITUDE = tuple(np.arange(12) * 30.0)


def header(**changes) -> ForecastHeader:
    plain = ForecastHeader(
        variables=("geopotential", "2m_temperature", "total_precipitation_6hr"),
        init_times=(np.datetime64("2024-06-03T06", "ns"),),
        leads=tuple(np.timedelta64(6 * n, "h") for n in (1, 2, 3, 4)),
        levels=(500, 850),
        latitude=LATITUDE,
        longitude=LONGITUDE,
        source="a test",
        history="written by a test",
        provenance='{"weights": "sha256:0"}',
    )
    return replace(plain, **changes)


def fields(head: ForecastHeader, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {n: rng.normal(size=head.field_shape(n)).astype(np.float32) for n in head.variables}


def write_all(path: Path, head: ForecastHeader, **options) -> Path:
    with ForecastStore.open_or_create(path, head, **options) as store:
        for i, cell in enumerate(head.cells):
            if cell in store.missing:
                store.write(cell.lead, fields(head, i), init=cell.init, member=cell.member)
        return store.finish()


def tree(path: Path) -> dict[str, bytes]:
    files = (p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


def interrupted(path: Path, head: ForecastHeader, cells: int) -> None:
    with ForecastStore.open_or_create(path, head) as store:
        for i, cell in enumerate(head.cells[:cells]):
            store.write(cell.lead, fields(head, i), init=cell.init, member=cell.member)
