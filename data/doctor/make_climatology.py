"""How ``climatology.npz`` beside this module is made: the doctor's picture of the Earth.

    python -m data.doctor.make_climatology SEASONS_FOLDER SURFACE_GEOPOTENTIAL.nc LAND_SEA_MASK OUT

``SEASONS_FOLDER`` holds ``seasons_{average,variance}_{ta,ua,va,hus,psl}_ERA5_*.nc`` of the ecmean4
package (ERA5, 1985-2014: zonal means on 17 levels, maps of sea-level pressure; the variance is that
between years). ``SURFACE_GEOPOTENTIAL.nc`` is ERA5's at 0.25°. ``LAND_SEA_MASK`` is any file that
the readers know with a ``land_sea_mask`` (used: NCEP GFS at 2.5°, public domain).
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.sources import open_inputs
from data.stores.files import written_whole

PARTS = {"temperature": "ta", "u_component_of_wind": "ua", "v_component_of_wind": "va"} | {
    "specific_humidity": "hus"
}
BAND = 5  # degrees: zonal means and maps of pressure
CELL = 2.5  # degrees: orography and land


def make(seasons: Path, surface_geopotential: Path, land_sea_mask: Path, target: Path) -> None:
    """Write the table; the same files give the same numbers."""
    tables = {}
    for name, short in PARTS.items():
        mean = _season(seasons, "average", short)
        variance = _season(seasons, "variance", short)
        tables[name] = _in_rows(mean[short], BAND).astype(np.float32)
        tables[f"{name}_spread"] = np.sqrt(_in_rows(variance[short], BAND)).astype(np.float16)
        if short == "hus":  # float16 ends at 6e-8, and stratospheric spread is smaller
            tables[f"{name}_spread"] = np.sqrt(_in_rows(variance[short], BAND)).astype(np.float32)
    tables["level"] = np.round(mean["plev"].values / 100).astype(np.int32)
    pressure = _season(seasons, "average", "psl")["psl"].values
    maps = pressure.reshape(4, 180 // BAND, BAND, 360 // BAND, BAND).mean((2, 4))
    tables["mean_sea_level_pressure"] = np.round(maps / 10).astype(np.int16)  # in 10 Pa
    with xr.open_dataset(surface_geopotential, decode_times=False) as file:
        height = file["Z"].squeeze("time").sortby("latitude") / 9.80665
    tables["orography"] = np.round(_in_cells(height)).astype(np.int16)  # metres
    (mask,) = open_inputs(land_sea_mask)
    tables["land"] = np.round(100 * _at_cells(mask["land_sea_mask"])).astype(np.int8)  # per cent
    with written_whole(target) as path, path.open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **tables)


def _season(folder: Path, statistic: str, short: str) -> xr.Dataset:
    (path,) = folder.glob(f"seasons_{statistic}_{short}_ERA5_*.nc")
    with xr.open_dataset(path, decode_times=False) as file:
        return file.load()


def _in_rows(array: xr.DataArray, degrees: int) -> Float[np.ndarray, "season level lat"]:
    values = array.values.astype(np.float64)
    return np.asarray(values.reshape(*values.shape[:2], -1, degrees).mean(-1))


def _in_cells(height: xr.DataArray) -> Float[np.ndarray, "lat lon"]:
    """Means over cells of 2.5°, the first from -90° and 0° on; points on an edge go north, east."""
    row = np.minimum(np.floor((height["latitude"].values + 90) / CELL), 180 / CELL - 1)
    column = np.floor(height["longitude"].values / CELL)
    by_row = height.values.reshape(len(row), -1)
    rows = np.stack([by_row[row == i].mean(0) for i in range(int(180 / CELL))])
    cells = [rows[:, column == j].mean(1) for j in range(int(360 / CELL))]
    return np.stack(cells, axis=1).astype(np.float64)


def _at_cells(mask: xr.DataArray) -> Float[np.ndarray, "lat lon"]:
    """A mask on points at the middles of the cells of ``_in_cells``."""
    latitude = np.arange(-90, 90, CELL) + CELL / 2
    longitude = np.arange(0, 360, CELL) + CELL / 2
    around = xr.concat(
        [mask, mask.isel(longitude=[0]).assign_coords(longitude=[360.0])], "longitude"
    )
    return around.interp(latitude=latitude, longitude=longitude).values.astype(np.float64)


if __name__ == "__main__":
    make(*(Path(argument) for argument in sys.argv[1:]))
