"""The form of a forecast as people ask for it, and what is said of the file that has it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr

from data.stores.forecast.form import GRIB, Form, opened
from data.stores.forecast.grib import BITS, MISSING, Signature
from data.stores.forecast.part import Box, Part
from data.time_range import moment
from data.variables import VARIABLES
from data.wording import hours, listed
from forecast_cli.arguments import duration
from verification.regions import REGIONS, Region


def form_of(  # noqa: PLR0913  a flag each
    *,
    variables: str | None = None,
    levels: str | None = None,
    lead_times: str | None = None,
    init_times: str | None = None,
    members: str | None = None,
    region: str | None = None,
    zarr_format: int = 3,
    centre: str = str(MISSING),
    generating_process: int = MISSING,
    bits: int = BITS,
) -> Form:
    """The form that the flags ask for; None asks for all.

    Args:
        variables: names with commas (2t,msl,geopotential).
        levels: hPa, with commas.
        lead_times: durations with commas (6h,1d), or first/last/step (1d/10d/1d).
        init_times: UTC times, with commas.
        members: labels, with commas.
        region: north/west/south/east in degrees, or the name of a region.
        zarr_format: 3 or 2.
        centre: of GRIB, a number or ecCodes' abbreviation.
        generating_process: of GRIB.
        bits: of GRIB's values.

    Raises:
        ValueError: a text cannot be read, or a number is out of range.
    """
    part = Part(
        variables=tuple(_items(variables)),
        levels=tuple(_whole(text, "--levels", "hPa, as 500,850") for text in _items(levels)),
        leads=leads(lead_times) if lead_times else (),
        init_times=tuple(moment(text, "init_times") for text in _items(init_times)),
        members=tuple(_whole(text, "--members", "numbers, as 0,1") for text in _items(members)),
        box=None if region is None else box(region, REGIONS),
    )
    signature = Signature(
        centre=int(centre) if centre.isdecimal() else centre,
        generating_process=generating_process,
        bits=bits,
    )
    return Form(part, signature, zarr_format_named(zarr_format))


def leads(text: str) -> tuple[np.timedelta64, ...]:
    """Lead times in `6h,1d12h`, or from first to last in steps in `1d/10d/1d`.

    >>> [int(lead / np.timedelta64(1, "h")) for lead in leads("6h/1d/6h")]
    [6, 12, 18, 24]

    Raises:
        ValueError: the text is neither.
    """
    if "/" not in text:
        return tuple(dict.fromkeys(duration(item, "--lead-times") for item in _items(text)))
    ends = text.split("/")
    if len(ends) != 3:
        raise ValueError(
            f"--lead-times reads first/last/step, as 1d/10d/1d, or a list, as 6h,12h; not {text!r}"
        )
    first, last, step = (duration(end, "--lead-times") for end in ends)
    if last < first or not step:
        raise ValueError(
            f"--lead-times goes from the first to a later one in steps, and {text!r} does not"
        )
    return tuple(first + k * step for k in range(int((last - first) / step) + 1))


def box(text: str, regions: Mapping[str, Region]) -> Box:
    """A region by its name, or by its edges north/west/south/east, as the CDS and MARS have them.

    >>> box("72/-25/34/45", REGIONS)
    Box(south=34.0, north=72.0, west=-25.0, east=45.0)

    Raises:
        ValueError: the text is neither, or the edges make no region.
    """
    if named := regions.get(text.strip().casefold()):
        return Box(named.south, named.north, named.west, named.east)
    try:
        north, west, south, east = (float(edge) for edge in text.split("/"))
    except ValueError:
        raise ValueError(
            "--region is north/west/south/east in degrees, as 72/-25/34/45, or one of"
            f" {', '.join(regions)}; not {text!r}"
        ) from None
    return Box(south, north, west, east)


def zarr_format_named(number: int) -> Literal[2, 3]:
    """Zarr's format 2 or 3.

    Raises:
        ValueError: another number.
    """
    match number:
        case 2 | 3:
            return number
    raise ValueError(f"--zarr-format is 3 or 2, and {number} was given")


def grib_words(signature: Signature, rounding: Mapping[str, float]) -> list[str]:
    """What a GRIB file says of its origin, and how far its packing rounds."""
    said = origin_words(signature)
    rounded = [
        f"{VARIABLES[name].short_name} ±{half:.2g} {VARIABLES[name].units}"
        for name, half in rounding.items()
    ]
    return [said, f"packed in {signature.bits} bits: {', '.join(rounded)}"]


def origin_words(signature: Signature) -> str:
    """What a GRIB file says of its origin."""
    numbers = {"centre": signature.centre, "generating process": signature.generating_process}
    return ", ".join(f"{name} {n}{' (missing)' * (n == MISSING)}" for name, n in numbers.items())


def form_rows(form: Form, result: Path) -> list[tuple[str, str]]:
    """Which part of a forecast was written, and what a GRIB file says; label and text."""
    part = form.part
    said = {
        "variables": ", ".join(part.variables),
        "levels": f"{listed(part.levels)} hPa" if part.levels else "",
        "lead times": f"{listed(map(hours, part.leads))} h" if part.leads else "",
        "region": "" if part.box is None else str(part.box),
    }
    rows = [("written", f"only {name} {text}") for name, text in said.items() if text]
    if result.suffix.casefold() in GRIB:
        rows.append(("GRIB", f"{origin_words(form.signature)}, {form.signature.bits} bits"))
    return rows


def time_words(target: Path) -> list[str]:
    """What `time` means in a netCDF file or a store of a forecast."""
    if target.is_file():
        with xr.open_dataset(target, engine="netcdf4", decode_cf=False) as dataset:
            if "prediction_timedelta" not in dataset.dims:
                return ["time is the valid time"]
    return ["time is the init time, prediction_timedelta the lead time"]


def clipped_words(result: Path) -> list[str]:
    """How much of each variable was below zero, in a store or a netCDF file of a forecast."""
    if result.suffix.casefold() in GRIB:
        return []
    with opened(result) as forecast:
        return [
            f"{VARIABLES[str(name)].short_name} {100 * field.attrs['clipped_fraction']:.2g} %, down"
            f" to {field.attrs['clipped_minimum']:.2g} {field.attrs['units']}"
            for name, field in forecast.data_vars.items()
            if field.attrs.get("clipped_fraction")
        ]


def _items(text: str | None) -> list[str]:
    return [item.strip() for item in (text or "").split(",") if item.strip()]


def _whole(text: str, flag: str, example: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise ValueError(f"{flag} reads {example}; not {text!r}")
    return int(text)
