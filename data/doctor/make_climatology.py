"""Make `climatology.npz`, the table of `data.doctor.era5`, from its sources.

    python -m data.doctor.make_climatology --help

A maintainer runs this when a source changes; the package ships the table.
"""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from data.constants import STANDARD_GRAVITY
from data.sources import open_inputs
from data.stores.files import written_whole

PARTS = {"temperature": "ta", "u_component_of_wind": "ua", "v_component_of_wind": "va"} | {
    "specific_humidity": "hus"
}
BAND = 5  # degrees: zonal means and maps of pressure
CELL = 2.5  # degrees: orography and land


def make_climatology(
    seasons: Path, surface_geopotential: Path, land_sea_mask: Path, target: Path
) -> None:
    """Write the table; the same files give the same numbers.

    Args:
        seasons: folder with `seasons_{average,variance}_{ta,ua,va,hus,psl}_ERA5_*.nc` of the
            ecmean4 package (ERA5, 1985-2014): zonal means on 17 levels, maps of sea-level pressure,
            and their variances between years.
        surface_geopotential: netCDF file with ERA5's surface geopotential at 0.25°.
        land_sea_mask: any file with a `land_sea_mask` that the readers know; the table has the mask
            of NCEP's GFS at 2.5° (public domain).
        target: the `.npz` file to write.
    """
    tables = {}
    for name, short in PARTS.items():
        mean = _season(seasons, "average", short)
        variance = _season(seasons, "variance", short)
        tables[name] = _in_rows(mean[short], BAND).astype(np.float32)
        tables[f"{name}_spread"] = np.sqrt(_in_rows(variance[short], BAND)).astype(np.float16)
        if short == "hus":  # the stratosphere's spread is below the least float16, 6e-8
            tables[f"{name}_spread"] = np.sqrt(_in_rows(variance[short], BAND)).astype(np.float32)
    tables["level"] = np.round(mean["plev"].values / 100).astype(np.int32)
    pressure = _season(seasons, "average", "psl")["psl"].values
    maps = pressure.reshape(4, 180 // BAND, BAND, 360 // BAND, BAND).mean((2, 4))
    tables["mean_sea_level_pressure"] = np.round(maps / 10).astype(np.int16)  # in 10 Pa
    with xr.open_dataset(surface_geopotential, decode_times=False) as file:
        height = file["Z"].squeeze("time").sortby("latitude") / STANDARD_GRAVITY
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
    """Means over 2.5° cells, the first from -90° and 0°; points on an edge count north and east."""
    row = np.minimum(np.floor((height["latitude"].values + 90) / CELL), 180 / CELL - 1)
    column = np.floor(height["longitude"].values / CELL)
    by_row = height.values.reshape(len(row), -1)
    rows = np.stack([by_row[row == i].mean(0) for i in range(int(180 / CELL))])
    cells = [rows[:, column == j].mean(1) for j in range(int(360 / CELL))]
    return np.stack(cells, axis=1).astype(np.float64)


def _at_cells(mask: xr.DataArray) -> Float[np.ndarray, "lat lon"]:
    """A mask interpolated to the centres of the cells of `_in_cells`."""
    latitude = np.arange(-90, 90, CELL) + CELL / 2
    longitude = np.arange(0, 360, CELL) + CELL / 2
    around = xr.concat(
        [mask, mask.isel(longitude=[0]).assign_coords(longitude=[360.0])], "longitude"
    )
    return around.interp(latitude=latitude, longitude=longitude).values.astype(np.float64)


def main() -> None:
    """Read the four paths from the command line and make the table."""
    parser = argparse.ArgumentParser(description="Make the doctor's table of ERA5's climate.")
    parser.add_argument("seasons", type=Path, help="folder of ecmean4's seasonal means of ERA5")
    parser.add_argument("surface_geopotential", type=Path, help="ERA5's at 0.25°, netCDF")
    parser.add_argument("land_sea_mask", type=Path, help="a file with a land-sea mask")
    parser.add_argument("target", type=Path, help="the .npz file to write")
    make_climatology(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
