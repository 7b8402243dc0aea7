"""The same dataset as other people write it."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from data.constants import STANDARD_GRAVITY as G0

TIMES = np.array(["2020-02-28T18", "2020-02-29T00", "2020-02-29T06"], dtype="datetime64[ns]")


def ours() -> xr.Dataset:
    """A canonical Dataset of random numbers: three times, three levels, 5 × 8 points."""
    rng = np.random.default_rng(0)
    coords = {
        "time": TIMES,
        "level": ("level", np.array([300, 500, 850], dtype=np.int32), {"units": "hPa"}),
        "latitude": np.linspace(-90, 90, 5),
        "longitude": np.arange(8) * 45.0,
    }
    full = ("time", "level", "latitude", "longitude")

    def field(*dims: str, about: float, spread: float, units: str) -> xr.DataArray:
        shape = [len(coords[d][1]) if d == "level" else len(coords[d]) for d in dims]
        values = rng.normal(about, spread, shape).astype(np.float32)
        return xr.DataArray(values, dims=dims, attrs={"units": units})

    flat = ("time", "latitude", "longitude")
    return xr.Dataset(
        {
            "temperature": field(*full, about=260, spread=10, units="K"),
            "geopotential": field(*full, about=5e4, spread=1e3, units="m2 s-2"),
            "specific_humidity": field(*full, about=5e-3, spread=1e-3, units="kg kg-1"),
            "2m_temperature": field(*flat, about=285, spread=10, units="K"),
            "mean_sea_level_pressure": field(*flat, about=1e5, spread=1e3, units="Pa"),
            "total_precipitation_6hr": field(*flat, about=1e-3, spread=1e-4, units="m"),
            "geopotential_at_surface": field(*full[2:], about=4e3, spread=1e3, units="m2 s-2"),
            "land_sea_mask": field(*full[2:], about=0.5, spread=0.1, units="1"),
        },
        coords=coords,
    )


def short_names(ds: xr.Dataset) -> xr.Dataset:
    names = {
        "temperature": "t",
        "specific_humidity": "q",
        "2m_temperature": "t2m",
        "mean_sea_level_pressure": "msl",
        "land_sea_mask": "lsm",
        "geopotential_at_surface": "zs",
        "geopotential": "z",
    }
    return ds.rename(names)


def cds_since_2024(ds: xr.Dataset) -> xr.Dataset:
    ds = short_names(ds).isel(latitude=slice(None, None, -1), level=slice(None, None, -1))
    ds = ds.rename(time="valid_time", level="pressure_level")
    return ds.assign_coords(number=0, expver=("valid_time", ["0001", "0001", "0005"]))


def cds_before_2024(ds: xr.Dataset) -> xr.Dataset:
    """ERA5 and ERA5T side by side: each is missing where the other is."""
    final = xr.DataArray([True, True, False], dims="time")
    statics = [n for n in ds if "time" not in ds[n].dims]
    timed = ds.drop_vars(statics)
    both = xr.concat([timed.where(final), timed.where(~final)], dim="expver")
    return both.assign_coords(expver=[1, 5]).assign({n: ds[n] for n in statics})


def cfgrib_cube(ds: xr.Dataset) -> xr.Dataset:
    """Start time × step, with valid times that come twice; the longer step holds other numbers."""
    start = TIMES[[0, 2]] - np.array([0, 6], dtype="timedelta64[h]")  # 28T18, 29T00
    steps = np.array([0, 6], dtype="timedelta64[h]").astype("timedelta64[ns]")
    rows = []
    for t in start:
        at_start = ds.sel(time=t)
        at_step = ds.sel(time=t + steps[1])
        later = at_step if t != start[0] else at_step + 1  # 29T00 is also an analysis
        rows.append(xr.concat([at_start, later], dim="step", coords="minimal", compat="override"))
    cube = xr.concat(rows, dim="start", coords="minimal", compat="override")
    cube = cube.drop_vars("time").rename(start="time").assign_coords(time=start, step=steps)
    cube = cube.rename(level="isobaricInhPa")
    for name in ds:
        cube[name].attrs = ds[name].attrs
        if "time" not in ds[name].dims:
            cube[name] = ds[name]
    return cube.assign_coords(valid_time=cube["time"] + cube["step"])


def counted_hours(ds: xr.Dataset) -> xr.Dataset:
    hours = (TIMES - np.datetime64("1940-01-01")) // np.timedelta64(1, "h")
    ds = ds.assign_coords(time=hours).rename(time="time_index")
    return ds.assign_attrs(time_units="hours since 1940-01-01 00:00 (proleptic_gregorian)")


def from_minus_180(ds: xr.Dataset) -> xr.Dataset:
    shifted = ds.roll(longitude=4, roll_coords=True)
    return shifted.assign_coords(longitude=np.arange(8) * 45.0 - 180)


def closed_circle(ds: xr.Dataset) -> xr.Dataset:
    first = ds.isel(longitude=[0]).assign_coords(longitude=[360.0])
    return xr.concat([ds, first], dim="longitude", data_vars="minimal")


def cmip(ds: xr.Dataset) -> xr.Dataset:
    names = {"latitude": "lat", "longitude": "lon", "level": "plev", "2m_temperature": "tas"}
    ds = ds.rename(names | {"temperature": "ta", "mean_sea_level_pressure": "psl"})
    ds = ds.isel(plev=slice(None, None, -1))
    return ds.assign_coords(plev=("plev", ds["plev"].values * 100.0, {"units": "Pa"}))


def shuffled_dimensions(ds: xr.Dataset) -> xr.Dataset:
    return ds.transpose("longitude", "level", "latitude", "time").astype(np.float64)


def static_at_every_time(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign(land_sea_mask=ds["land_sea_mask"].expand_dims(time=ds["time"]))


def unsorted_times(ds: xr.Dataset) -> xr.Dataset:
    return ds.isel(time=[2, 0, 1])


def needless_dimensions(ds: xr.Dataset) -> xr.Dataset:
    t2m = ds["2m_temperature"].expand_dims(height=[2.0], axis=1)
    bounds = xr.DataArray(np.zeros((3, 2)), dims=("time", "bnds"))
    return ds.assign({"2m_temperature": t2m, "time_bnds": bounds})


def ecmwf_units(ds: xr.Dataset) -> xr.Dataset:
    for name, units in {
        "temperature": "k",
        "geopotential": "m**2 s**-2",
        "specific_humidity": "kg kg**-1",
        "land_sea_mask": "(0 - 1)",
        "geopotential_at_surface": "m^2/s^2",
    }.items():
        ds[name].attrs["units"] = units
    return ds


def other_units(ds: xr.Dataset) -> xr.Dataset:
    for name, units, factor, offset in (
        ("temperature", "degC", 1, -273.15),
        ("2m_temperature", "°C", 1, -273.15),
        ("geopotential", "gpm", 1 / G0, 0),
        ("geopotential_at_surface", "m", 1 / G0, 0),
        ("specific_humidity", "g/kg", 1e3, 0),
        ("mean_sea_level_pressure", "hPa", 1e-2, 0),
        ("total_precipitation_6hr", "kg m**-2", 1e3, 0),
        ("land_sea_mask", "%", 100, 0),
    ):
        ds[name] = (ds[name] * factor + offset).assign_attrs(units=units)
    return ds


DISGUISES: list[Callable[[xr.Dataset], xr.Dataset]] = [
    short_names,
    cds_since_2024,
    cds_before_2024,
    cfgrib_cube,
    counted_hours,
    from_minus_180,
    closed_circle,
    cmip,
    shuffled_dimensions,
    static_at_every_time,
    unsorted_times,
    needless_dimensions,
    ecmwf_units,
    other_units,
]
