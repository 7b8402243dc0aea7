"""`climatology_of`: the mean by day of year and hour of the day, with a smoothing window.

As WeatherBench 2 makes its climatologies: for each day of the year and hour, a weighted mean over
the days around it, of all years. The weights fall linearly from the day itself to 0 at the window's
ends, and a year's end and beginning are neighbours. Variables are made one after the other, a few
rows of the grid at a time; what is made is kept.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from data.grids import grid_of
from data.stores.building import Building
from data.stores.files import flush
from data.stores.kind import label
from data.time_range import TimeRange
from data.wording import hour, listed
from verification.statistic import DRY

LAYOUT = 1
DAYS = 366  # every day of a leap year, as WeatherBench 2's `dayofyear` counts
WINDOW = 61  # days, as WeatherBench 2's climatologies
MEMORY = 64e6  # bytes of fields that are read at once
LIGHT = 2 / 3  # share of wet periods that are light, not heavy (Rodwell et al. 2010)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Seasons:
    """How a climatology is made.

    Attributes:
        window: days of the smoothing window, an odd number.
        quantiles: quantiles beside the mean, each over the days of the window of all years.
    """

    window: int = WINDOW
    quantiles: tuple[int | float, ...] = ()

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.window < 1 or self.window % 2 == 0 or self.window > DAYS:
            raise ValueError(
                f"`window` is an odd number of days below {DAYS}, and {self.window} is not; "
                f"{WINDOW} is WeatherBench 2's"
            )
        wrong = [q for q in self.quantiles if not 0 < q < 1]
        if wrong:
            raise ValueError(f"`quantiles` lie between 0 and 1, and {listed(wrong)} does not")

    def weights(self) -> np.ndarray:
        """(day, other day): the weight of each other day in a day's mean, rows summing to 1."""
        days = np.arange(DAYS)
        apart = np.abs(days[:, None] - days)
        apart = np.minimum(apart, DAYS - apart)
        half = self.window // 2
        weight = np.clip(1 - apart / half, 0, None) if half else (apart == 0) * 1.0
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def climatology_of(
    analyses: xr.Dataset,
    times: TimeRange,
    output: str | os.PathLike[str],
    seasons: Seasons,
    *,
    variables: Sequence[str] | None = None,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Write the climatology of analyses; an interrupted call resumes when it is repeated.

    Args:
        analyses: canonical, (time, [level,] latitude, longitude).
        times: the period; all analyses in it count.
        output: the Zarr store to write.
        seasons: how.
        variables: only these; None for all that vary in time.
        overwrite: replace an earlier climatology.
        progress: called with the number of finished blocks and of all.

    Raises:
        FileExistsError: something is there already.
        ValueError: a variable is missing, the period has no analyses, a day of the year has none in
            its window, or a value is missing.
    """
    inside = analyses["time"].values
    inside = (times.start <= inside) & (inside <= times.end)
    if not inside.any():
        first, last = analyses["time"].values[[0, -1]]
        raise ValueError(
            f"`time` {times} has none of the analyses, which go from {hour(first)} to {hour(last)}"
        )
    part = analyses.isel(time=inside)
    names = _names(part, variables)
    hours = sorted(set(pd.DatetimeIndex(part["time"].values).hour.tolist()))
    _check_days(part, hours, seasons)
    text = json.dumps([LAYOUT, str(times), asdict(seasons), names, dict(part.attrs)], default=str)
    source = str(analyses.encoding.get("source"))
    fingerprint = hashlib.sha256((text + source).encode()).hexdigest()
    made = _layout(part, names, hours, seasons).assign_attrs(
        title="Climatology by day of year and hour",
        period=str(times),
        window=f"{seasons.window} days, weights falling linearly from the day itself",
        **label("climatology", LAYOUT),
    )
    blocks = [(name, i) for name in names for i in range(len(_rows(part[name])))]
    with Building.open(
        output,
        "climatology",
        fingerprint,
        overwrite=overwrite,
        lay_out=lambda folder: _lay_out(made, folder),
    ) as building:
        progress(len(building.done), len(blocks))
        for name, i in blocks:
            if f"{name} {i}" in building.done or building.named:
                continue
            rows = _rows(part[name])[i]
            fields = _block(part[name].isel(latitude=rows), hours, seasons)
            _write(xr.Dataset(fields), building.folder, rows, made)
            building.commit(f"{name} {i}")
            progress(len(building.done), len(blocks))
        return building.finish()


def _names(part: xr.Dataset, variables: Sequence[str] | None) -> list[str]:
    names = [str(name) for name, array in part.data_vars.items() if "time" in array.dims]
    lacking = [name for name in variables or () if name not in names]
    if lacking:
        raise ValueError(
            f"`variables` has {listed(lacking)}, which the analyses lack; they have "
            f"{', '.join(names)}"
        )
    grid_of(part, "the analyses")
    return list(variables) if variables else names


def _check_days(part: xr.Dataset, hours: Sequence[int], seasons: Seasons) -> None:
    """Refuse a period in which the window of a day of the year has no analysis.

    Raises:
        ValueError: a day of the year has none.
    """
    index = pd.DatetimeIndex(part["time"].values)
    weights = seasons.weights()
    for wanted in hours:
        days = np.unique(index.day_of_year[index.hour == wanted]) - 1
        empty = np.flatnonzero(weights[:, days].sum(axis=1) == 0)
        if empty.size:
            raise ValueError(
                f"every day of the year needs an analysis within {seasons.window // 2} days, and "
                f"at {wanted:02d} UTC {empty.size} days have none, the first of them day "
                f"{empty[0] + 1}; give a longer `time` or a larger `window`"
            )


def _rows(array: xr.DataArray) -> list[slice]:
    """Rows of the grid that are read at once."""
    one = array.nbytes / array.sizes["latitude"]
    count = max(1, int(MEMORY // max(one, 1)))
    return [slice(i, i + count) for i in range(0, array.sizes["latitude"], count)]


def _layout(
    part: xr.Dataset, names: Sequence[str], hours: Sequence[int], seasons: Seasons
) -> xr.Dataset:
    """The arrays of the store, without values."""
    import dask.array  # noqa: PLC0415  only a layout needs it

    arrays = {}
    for name in names:
        rest = [d for d in ("level", "latitude", "longitude") if d in part[name].dims]
        dims = ("hour", "dayofyear", *rest)
        shape = (len(hours), DAYS, *(part.sizes[d] for d in rest))
        row = _rows(part[name])[0].stop
        chunks = (1, DAYS, *(min(row, part.sizes[d]) if d == "latitude" else -1 for d in rest))
        attrs = part[name].attrs
        for made in _made_names(name, seasons):
            blank = dask.array.zeros(shape, chunks=chunks, dtype=np.float32)
            units = {"units": "1"} if made.endswith("dry_fraction") else {}
            arrays[made] = xr.DataArray(blank, dims=dims, attrs={**attrs, **units})
    coords = {d: part[d].values for d in ("level", "latitude", "longitude") if d in part.coords}
    return xr.Dataset(arrays, {"hour": list(hours), "dayofyear": np.arange(1, DAYS + 1), **coords})


def _made_names(name: str, seasons: Seasons) -> list[str]:
    rain = [f"{name}_seeps_dry_fraction", f"{name}_seeps_threshold"] if name in DRY else []
    return [name, *(f"{name}_quantile_{q:g}" for q in seasons.quantiles), *rain]


def _lay_out(made: xr.Dataset, folder: Path) -> None:
    made.to_zarr(folder, mode="w", zarr_format=2, compute=False)


def _write(fields: xr.Dataset, folder: Path, rows: slice, made: xr.Dataset) -> None:
    stop = min(rows.stop, made.sizes["latitude"])
    region = {"latitude": slice(rows.start, stop)}
    fields.drop_vars(list(fields.coords)).to_zarr(folder, region=region, zarr_format=2)
    for name in fields.data_vars:
        for path in (folder / str(name)).iterdir():
            flush(path)


def _block(array: xr.DataArray, hours: Sequence[int], seasons: Seasons) -> dict[str, xr.DataArray]:
    """All that is made of some rows of a variable: (hour, dayofyear, [level,] rows, longitude)."""
    name = str(array.name)
    rest = [d for d in ("level", "latitude", "longitude") if d in array.dims]
    values = array.transpose("time", *rest).values
    if not np.isfinite(values).all():
        raise ValueError(
            f"a climatology is made of values, and {name} has some that are missing or not finite;"
            " repair the analyses or leave it out (`variables`)"
        )
    index = pd.DatetimeIndex(array["time"].values)
    days = np.asarray(index.day_of_year)
    made: dict[str, list[np.ndarray]] = {n: [] for n in _made_names(name, seasons)}
    for wanted in hours:
        here = index.hour == wanted
        for key, field in _of_hour(values[here], days[here], name, seasons):
            made[key].append(field)
    dims = ("hour", "dayofyear", *rest)
    return {key: xr.DataArray(np.stack(fields), dims=dims) for key, fields in made.items()}


def _of_hour(
    values: np.ndarray, day_of_year: np.ndarray, name: str, seasons: Seasons
) -> Iterator[tuple[str, np.ndarray]]:
    """The fields of one hour of the day, by name, (dayofyear, …)."""
    weights = seasons.weights()[:, day_of_year - 1]  # (day, analysis)
    flat = values.reshape(len(values), -1).astype(np.float64)
    shape = (DAYS, *values.shape[1:])

    def mean(of: np.ndarray) -> np.ndarray:
        return np.asarray((weights @ of) / weights.sum(axis=1, keepdims=True)).reshape(shape)

    yield name, mean(flat).astype(np.float32)
    if not seasons.quantiles and name not in DRY:
        return
    near = weights > 0
    if seasons.quantiles:
        found = np.stack([np.quantile(flat[row], seasons.quantiles, axis=0) for row in near])
        for i, q in enumerate(seasons.quantiles):
            yield f"{name}_quantile_{q:g}", found[:, i].reshape(shape).astype(np.float32)
    if name in DRY:
        dry = flat < DRY[name]
        yield f"{name}_seeps_dry_fraction", mean(dry * 1.0).astype(np.float32)
        heavy = [_light_quantile(flat[row], dry[row]) for row in near]
        yield f"{name}_seeps_threshold", np.stack(heavy).reshape(shape).astype(np.float32)


def _light_quantile(rain: np.ndarray, dry: np.ndarray) -> np.ndarray:
    """The amount that a third of the wet periods exceed; infinite where it never rains."""
    ordered = np.sort(np.where(dry, np.inf, rain), axis=0)
    wet = (~dry).sum(axis=0)
    place = np.clip(np.ceil(LIGHT * wet).astype(int) - 1, 0, None)
    found: np.ndarray = np.take_along_axis(ordered, place[None], axis=0)[0]
    return np.where(wet > 0, found, np.finfo(np.float32).max)
