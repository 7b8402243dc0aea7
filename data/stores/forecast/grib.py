"""A forecast as GRIB edition 2, through ecCodes: a message for each field, cell after cell.

Codes of parameters and levels come from ecCodes' own tables, by the catalogue's short names, and
values are converted to the units that go with the code (rain to kg m⁻²). Rows go from north to
south, as everywhere in GRIB. Totals have their period as their time range.

Packing keeps `bits` bits of the range of each message, so that a value comes back within half a
step of it; `write_grib` says how large that is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from data.canonical.precipitation import stated_hours
from data.canonical.units import conversion
from data.stores.files import written_aside
from data.variables import VARIABLES
from data.wording import HOUR, listed
from mesh.grid import SAME_POINT, LatLonGrid

MISSING = 255  # of an octet that says nothing
BITS = 16  # of a value
TABLES = 27  # version of WMO's master tables (2020), which older readers know, too

# ecCodes' tables of WMO codes have none for these; a test asks them about the whole catalogue.
WITHOUT_CODE = frozenset(
    {
        "100m_u_component_of_wind",
        "100m_v_component_of_wind",
        "soil_temperature_level_1",
        "volumetric_soil_water_layer_1",
    }
)
_SHORT_NAMES = {name: "tp" for name in VARIABLES if name.startswith("total_precipitation")}


@dataclass(frozen=True)
class Signature:
    """What GRIB files say of their origin.

    Attributes:
        centre: WMO's number (table C-11) or ecCodes' abbreviation of the centre; 255: missing.
        generating_process: the centre's number of the model; 255: missing.
        bits: of each packed value, 1 to 24.

    Raises:
        ValueError: a number is out of range.
    """

    centre: str | int = MISSING
    generating_process: int = MISSING
    bits: int = BITS

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 0 <= self.generating_process <= MISSING:
            raise ValueError(
                "a generating process is a number from 0 to 255 (255: missing), and"
                f" {self.generating_process} is none"
            )
        if not 1 <= self.bits <= 24:  # float32 has no more
            raise ValueError(f"GRIB values have 1 to 24 bits here, and {self.bits} were asked for")


def write_grib(
    forecast: xr.Dataset, target: Path, signature: Signature = Signature()
) -> dict[str, float]:
    """Write a forecast in the layout of our stores to a GRIB file, whole.

    Returns:
        for each variable, the largest rounding of a value by the packing, in the catalogue's units.

    Raises:
        ValueError: a variable has no code, or the grid no description, in GRIB 2; the centre is
            not known.
    """
    import eccodes  # noqa: PLC0415  loading it takes a second, which other formats do not need

    check_grib(forecast)
    names = [str(name) for name in forecast.data_vars]
    forecast = forecast.sortby("latitude", ascending=False)
    keys = {**_grid(forecast), **_origin(forecast, signature)}
    rounding: dict[str, float] = dict.fromkeys(names, 0.0)
    with written_aside(target) as temporary, temporary.open("wb") as file:
        templates = {name: _template(eccodes, name, forecast[name], keys) for name in names}
        for cell, place in _cells(forecast):
            for name in names:
                lead = int(cell["prediction_timedelta"].values / HOUR)
                message = _at(eccodes, templates[name], cell[name], place, lead)
                factor = _factor(eccodes, message, name)
                for level, values in _levels(cell[name]):
                    if level is not None:
                        eccodes.codes_set(message, "level", level)
                    eccodes.codes_set(message, "bitsPerValue", signature.bits)
                    eccodes.codes_set_values(message, values.astype(np.float64).ravel() / factor)
                    eccodes.codes_write(message, file)
                    rounding[name] = max(rounding[name], factor * _half_step(eccodes, message))
                eccodes.codes_release(message)
        for template in templates.values():
            eccodes.codes_release(template)
    return rounding


def check_grib(forecast: xr.Dataset) -> None:
    """Refuse a forecast that GRIB cannot describe.

    Raises:
        ValueError: a variable has no code, or the grid no description, in GRIB 2.
    """
    if lacking := sorted(WITHOUT_CODE & {str(name) for name in forecast.data_vars}):
        raise ValueError(
            f"GRIB 2 has no code for {listed(lacking)}; leave it out (`variables`), or write netCDF"
        )
    _grid(forecast.sortby("latitude", ascending=False))


def _grid(forecast: xr.Dataset) -> dict[str, Any]:
    """Keys of the grid: regular in latitude, or Gaussian."""
    latitude, longitude = (forecast[n].values.astype(np.float64) for n in ("latitude", "longitude"))
    keys: dict[str, Any] = {
        "Ni": longitude.size,
        "Nj": latitude.size,
        "latitudeOfFirstGridPointInDegrees": latitude[0],
        "latitudeOfLastGridPointInDegrees": latitude[-1],
        "longitudeOfFirstGridPointInDegrees": longitude[0] % 360,
        "longitudeOfLastGridPointInDegrees": longitude[-1] % 360,
        "iDirectionIncrementInDegrees": _step(longitude),
        "jScansPositively": 0,
    }
    steps = -np.diff(latitude)
    if np.ptp(steps) <= SAME_POINT if steps.size else True:
        return {"gridType": "regular_ll", **keys, "jDirectionIncrementInDegrees": _step(-latitude)}
    if latitude.size % 2 == 0:
        number = latitude.size // 2
        gaussian = LatLonGrid.gaussian(number).axes()[0][::-1]
        if np.abs(gaussian - latitude).max() <= SAME_POINT:
            return {"gridType": "regular_gg", "N": number, **keys}
    raise ValueError(
        "a GRIB grid has latitudes at equal steps, or all those of a full Gaussian grid, and these"
        f" are neither ({listed(latitude)}); write netCDF, or take the whole globe"
    )


def _step(axis: np.ndarray) -> float:
    return float((axis[-1] - axis[0]) / (axis.size - 1)) if axis.size > 1 else 1.0


def _origin(forecast: xr.Dataset, signature: Signature) -> dict[str, Any]:
    members = forecast.sizes.get("number", 0)
    keys: dict[str, Any] = {
        "tablesVersion": TABLES,
        "centre": signature.centre,
        "subCentre": 0,
        "generatingProcessIdentifier": signature.generating_process,
        "backgroundProcess": MISSING,
        "significanceOfReferenceTime": 1,  # start of a forecast
        "productionStatusOfProcessedData": MISSING,
        "typeOfProcessedData": 4 if members else 1,  # perturbed forecast, forecast
        "typeOfGeneratingProcess": 4 if members else 2,  # ensemble forecast, forecast
    }
    return keys


def _template(eccodes: Any, name: str, field: xr.DataArray, keys: Mapping[str, Any]) -> Any:
    """A message with everything that all fields of a variable have in common."""
    on_levels, gaussian = "level" in field.dims, keys["gridType"] == "regular_gg"
    sample = f"regular_{'gg' if gaussian else 'll'}_{'pl' if on_levels else 'sfc'}_grib2"
    message = eccodes.codes_grib_new_from_samples(sample)
    for key, value in keys.items():
        if key == "gridType":
            continue
        try:
            eccodes.codes_set(message, key, value)
        except eccodes.CodesInternalError as error:
            raise ValueError(
                f"GRIB's {key} cannot be {value!r} ({error}); for a centre give WMO's number or"
                " ecCodes' abbreviation (ecmf)"
            ) from error
    ensemble = "number" in field.dims
    total = stated_hours(field) is not None
    kind = {(False, False): 0, (True, False): 1, (False, True): 8, (True, True): 11}
    eccodes.codes_set(message, "productDefinitionTemplateNumber", kind[ensemble, total])
    if ensemble:
        eccodes.codes_set(message, "typeOfEnsembleForecast", MISSING)
        eccodes.codes_set(message, "numberOfForecastsInEnsemble", field.sizes["number"])
    eccodes.codes_set(message, "shortName", _SHORT_NAMES.get(name, VARIABLES[name].short_name))
    if on_levels:
        eccodes.codes_set(message, "typeOfLevel", "isobaricInhPa")
    # Adaptive entropy coding (CCSDS 121.0-B) takes half the bytes of simple packing.
    eccodes.codes_set(message, "packingType", "grid_ccsds")
    return message


def _cells(forecast: xr.Dataset) -> Iterator[tuple[xr.Dataset, dict[str, Any]]]:
    """Each init time, member and lead time: its fields, and the keys that say when it is."""
    for init in range(forecast.sizes["time"]):
        start = forecast["time"].values[init].astype("datetime64[m]").astype(object)
        when = {"dataDate": int(f"{start:%Y%m%d}"), "dataTime": int(f"{start:%H%M}")}
        for member in range(forecast.sizes.get("number", 1)):
            at = {"time": init, **({"number": member} if "number" in forecast.dims else {})}
            who = (
                {"perturbationNumber": int(forecast["number"].values[member])}
                if "number" in at
                else {}
            )
            for lead in range(forecast.sizes["prediction_timedelta"]):
                yield forecast.isel({**at, "prediction_timedelta": lead}), when | who


def _at(
    eccodes: Any, template: Any, field: xr.DataArray, place: Mapping[str, Any], lead: int
) -> Any:
    """The template's message at a place and lead time (hours)."""
    message = eccodes.codes_clone(template)
    for key, value in place.items():
        eccodes.codes_set(message, key, value)
    period = stated_hours(field)
    steps = str(lead) if period is None else f"{lead - period}-{lead}"
    eccodes.codes_set(message, "stepUnits", "h")
    eccodes.codes_set(message, "stepRange", steps)
    return message


def _levels(field: xr.DataArray) -> Iterator[tuple[int | None, np.ndarray]]:
    if "level" not in field.dims:
        yield None, field.values
        return
    values = field.transpose("level", ...).values
    yield from zip(map(int, field["level"].values), values, strict=True)


def _factor(eccodes: Any, message: Any, name: str) -> float:
    """What a value in GRIB's units is multiplied by to be in the catalogue's."""
    written = str(eccodes.codes_get(message, "units"))
    unit = VARIABLES[name].units
    factor_and_offset = conversion("1" if written == "Numeric" else written, unit)
    assert factor_and_offset is not None, (name, written, unit)
    factor, offset = factor_and_offset
    assert offset == 0, (name, written, unit)
    return factor


def _half_step(eccodes: Any, message: Any) -> float:
    if not eccodes.codes_get(message, "bitsPerValue"):
        return 0.0  # the same everywhere
    binary, decimal = (
        eccodes.codes_get(message, key) for key in ("binaryScaleFactor", "decimalScaleFactor")
    )
    return float(0.5 * 2.0**binary * 10.0**-decimal)
