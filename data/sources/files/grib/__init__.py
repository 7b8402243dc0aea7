"""GRIB files, edition 1 and 2, through cfgrib.

cfgrib builds hypercubes of start time × step × level × …, with holes where a file has no message
and a new Dataset wherever two messages do not fit. Here cfgrib only indexes the messages
(`messages`), and each is placed by what its own header says: time, level and unit (`fields`), grid
and direction (`grids`). No index file is written beside the user's file.
"""

from collections import Counter
from typing import Any

import numpy as np
import xarray as xr

from data.canonical.names import canonical_name
from data.canonical.precipitation import summed_over
from data.canonical.preliminary import FINAL, PRELIMINARY
from data.canonical.units import conversion
from data.provenance import noted, remarked
from data.sources.files.grib.fields import Contents, Field, at_lead_time, at_valid_time, contents
from data.sources.files.grib.grids import Layout
from data.sources.files.grib.messages import Messages, Place, damaged, index_of, values_of
from data.variables import VARIABLES
from data.wording import hour, listed


def read(path: str) -> xr.Dataset:
    """All fields of a GRIB file that the catalogue knows, as lazy arrays at their valid times.

    Dimensions `number` (member), `time` (valid time), `level` (hPa), `latitude`, `longitude`, with
    short names and the file's units. Where a valid time comes twice, a final field is taken before
    a preliminary one, and the shortest step: an analysis before a forecast. Points, levels and
    times without a message are NaN. Messages that cannot be read are left out with a remark.

    Raises:
        ValueError: the file is damaged, one variable is on several grids, or no field is on a grid
            of one latitude axis by one longitude axis.
    """
    index = index_of(path)
    found = contents(path, index, at_valid_time)
    return _dataset(path, index, found, {"number": "number", "time": "valid_time"})


def read_forecast(path: str) -> xr.Dataset:
    """As `read`, with the dimensions `time` (init time) and `prediction_timedelta`."""
    index = index_of(path)
    found = contents(path, index, at_lead_time)
    axes = {"number": "number", "time": "start", "prediction_timedelta": "step"}
    dataset = _dataset(path, index, found, axes)
    if dataset.sizes["number"] == 1:
        dataset = dataset.isel(number=0, drop=True)
    dataset = _with_totals_of_one_period(dataset)
    leads = np.round(dataset["prediction_timedelta"].values * 3600).astype("timedelta64[s]")
    return dataset.assign_coords(prediction_timedelta=leads.astype("timedelta64[ns]"))


def _with_totals_of_one_period(dataset: xr.Dataset) -> xr.Dataset:
    """Without precipitation since the start, whose period is another one at each lead time."""
    totals = [name for name in dataset.data_vars if str(name).startswith("tp")]
    if len(totals) < 2:
        return dataset
    remark = f"precipitation is left out: its totals ({listed(totals)}) are over several periods"
    return remarked(dataset.drop_vars(totals), remark)


def _dataset(path: str, index: Any, found: Contents, axes: dict[str, str]) -> xr.Dataset:
    layouts = _layouts(path, index, found.fields)
    main, fields, elsewhere = _on_one_grid(path, found.fields, layouts)
    _check_doubled(path, index, found, layouts)
    labels: dict[str, list[Any]] = {
        dim: sorted({getattr(field, label) for field in fields}) for dim, label in axes.items()
    }
    labels["level"] = sorted({f.level for f in fields if f.on_levels})
    variables = {}
    for name in dict.fromkeys(f.variable for f in fields):
        of_name = [f for f in fields if f.variable == name]
        attributes = {**axes, **({"level": "level"} if of_name[0].on_levels else {})}
        conversions, attrs = _conversions(path, of_name)
        table = np.full([len(labels[dim]) for dim in attributes], None, dtype=object)
        at = {dim: {value: i for i, value in enumerate(labels[dim])} for dim in attributes}
        for field in of_name:
            where = tuple(at[dim][getattr(field, label)] for dim, label in attributes.items())
            table[where] = Place(field.message, layouts[field.grid], *conversions[field.units])
        shape = (main.latitude.size, main.longitude.size)
        lazy = Messages(index.fieldset, table, shape).as_dask()
        variables[name] = ((*attributes, "latitude", "longitude"), lazy, attrs)
    coordinates: dict[str, Any] = {dim: np.asarray(labels[dim]) for dim in axes}
    coordinates |= {"latitude": main.latitude, "longitude": main.longitude}
    early = {getattr(field, axes["time"]) for field in fields if field.preliminary}
    if early:
        streams = [PRELIMINARY if time in early else FINAL for time in labels["time"]]
        coordinates["expver"] = ("time", streams)
    if labels["level"]:
        coordinates["level"] = ("level", labels["level"], {"units": "hPa"})
    return remarked(xr.Dataset(variables, coords=coordinates), *found.remarks, *elsewhere)


def _layouts(path: str, index: Any, fields: tuple[Field, ...]) -> dict[str, Layout]:
    """The layout of each grid section of the file."""
    first = {field.grid: field.message for field in reversed(fields)}
    try:
        return {grid: Layout.of(index.fieldset[message], path) for grid, message in first.items()}
    except ValueError:
        raise
    except Exception as error:  # ecCodes has an exception class for each of its many codes
        raise damaged(path) from error


def _on_one_grid(
    path: str, fields: tuple[Field, ...], layouts: dict[str, Layout]
) -> tuple[Layout, list[Field], list[str]]:
    """The grid of most fields, the fields on it, and a remark on variables that are elsewhere.

    Raises:
        ValueError: a variable is on several grids.
    """
    (most, _), *_ = Counter(field.grid for field in fields).most_common(1)
    main = layouts[most]
    here = {grid for grid, layout in layouts.items() if layout.same_grid(main)}
    inside = [field for field in fields if field.grid in here]
    outside = [field for field in fields if field.grid not in here]
    if not outside:
        return main, inside, []
    names = {field.variable for field in inside}
    both = sorted(names & {field.variable for field in outside})
    if both:
        other = next(layouts[f.grid] for f in outside if f.variable in both)
        raise ValueError(
            f"all fields of a file must share one grid, and {path} has {listed(both)} on {main} and"
            f" on {other}; bring them to one"
        )
    left = sorted({field.variable for field in outside})
    return main, inside, [f"{listed(left)}: left out, on another grid than the rest ({main})"]


def _conversions(
    path: str, fields: list[Field]
) -> tuple[dict[str, tuple[float, float]], dict[str, str]]:
    """By stated unit, factor and offset to the unit of the variable; and its attributes.

    Raises:
        ValueError: messages differ in a unit that cannot be converted.
    """
    first = fields[0]
    attrs = {"units": first.units}
    if first.accumulation is not None:
        attrs["cell_methods"] = summed_over(first.accumulation)
    stated = list(dict.fromkeys(field.units for field in fields))
    if len(stated) == 1:
        return {first.units: (1.0, 0.0)}, attrs
    short = "tp" if first.variable.startswith("tp") else first.variable
    name = (
        "total_precipitation" if short == "tp" else canonical_name(short, on_levels=first.on_levels)
    )
    assert name is not None, first.variable  # `fields` has no others
    unit = VARIABLES[name].units
    conversions = {}
    for text in stated:
        known = conversion(text, unit)
        if known is None:
            raise ValueError(
                f"the messages of a variable must be in units that convert to {unit}, and those of"
                f" {first.variable} in {path} are in {listed(stated)}; correct the file"
            )
        conversions[text] = known
    note = noted(xr.DataArray(attrs=attrs), f"converted message by message from {listed(stated)}")
    return conversions, {**note.attrs, "units": unit}


def _check_doubled(path: str, index: Any, found: Contents, layouts: dict[str, Layout]) -> None:
    """Refuse two messages for one place with other values, of which nothing says which counts."""
    for one, other in found.doubled:
        values = (
            layouts[f.grid].placed(values_of(index.fieldset, f.message, layouts[f.grid].shape))
            for f in (one, other)
        )
        first, second = values
        if first.shape != second.shape or not np.array_equal(first, second, equal_nan=True):
            level = f" at {one.level:g} hPa" if one.on_levels else ""
            raise ValueError(
                f"each field must come once, and {one.variable}{level} of {hour(one.valid_time)}"
                f" comes twice in {path}, with other values; remove one"
            )
