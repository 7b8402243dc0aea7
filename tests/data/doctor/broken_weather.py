"""Real fields, and ways to break a dataset: each with the rule that has to find it."""

from collections.abc import Callable

import dask
import numpy as np
import xarray as xr

from data.doctor import Finding
from data.forcings import forcing_frame
from data.samples import analyses
from data.sources import open_inputs
from tests import reference

FILES = {
    "gfs": "states/gfs_2p5deg_2011100800_f072.grib2",
    "era5": "states/era5_tl31_37lev_19590102T00.nc",
    "series": "series/era5_surface_1deg_7h_202603.zarr",
    "eda": "ensemble/era5_eda_3deg_12h_20170101-02.grib",
    "tuv": "grib/tuv_pl.grib",
    "zt": "grib/test4.nc",
    "flux": "grib/ncep_T62_flux_3x6h_20230614.grib2",
    "msl": "reference/era5_msl_2025120100_2.5x2.5.nc",
    "orography": "static/era5_surface_geopotential_0p25deg.nc",
}

T, Z, Q = "temperature", "geopotential", "specific_humidity"
U, V, W = "u_component_of_wind", "v_component_of_wind", "vertical_velocity"
T2, U10, V10, MSL = (
    *("2m_temperature", "10m_u_component_of_wind", "10m_v_component_of_wind"),
    "mean_sea_level_pressure",
)

RAIN, HILLS, LAND = "total_precipitation_6hr", "geopotential_at_surface", "land_sea_mask"

_LOADED: dict[str, xr.Dataset] = {}


def real(name: str) -> xr.Dataset:
    """Real fields, loaded once; `ifs` is the packaged sample."""
    if name not in _LOADED:
        path = analyses() if name == "ifs" else reference.real(FILES[name])
        with dask.config.set(scheduler="synchronous"):
            dataset = open_inputs(path)[0]
            few = slice(0, 3) if dataset.sizes.get("time", 1) > 3 else slice(None)
            _LOADED[name] = dataset.isel(time=few).load() if "time" in dataset.dims else dataset
    return _LOADED[name]


def spoken(findings: list[Finding], rule: str) -> Finding:
    """The worst finding of a rule."""
    result = [finding for finding in findings if finding.rule == rule]
    assert result, f"{rule} said nothing; {findings}"
    return result[0]


def at_times(*hours: float) -> xr.Dataset:
    start = real("ifs").isel(time=np.zeros(len(hours), dtype=int))
    seconds = (np.array(hours) * 3600).astype("timedelta64[s]")
    times = np.datetime64("2024-06-03T00", "ns") + seconds
    return start[["temperature"]].assign_coords(time=times)


# How to break a dataset. Fields change, coordinates stay, unless said.
Break = Callable[[xr.Dataset], xr.Dataset]


def fields(*names: str, by: Callable[[np.ndarray], np.ndarray]) -> Break:
    def broken(dataset: xr.Dataset) -> xr.Dataset:
        chosen = names or [n for n in dataset.data_vars if "time" in dataset[n].dims]
        return dataset.assign({n: dataset[n].copy(data=by(dataset[n].values)) for n in chosen})

    return broken


def upside_down(*names: str) -> Break:
    return fields(*names, by=lambda x: x[..., ::-1, :].copy())


def rolled(*names: str) -> Break:
    return fields(*names, by=lambda x: np.roll(x, x.shape[-1] // 2, axis=-1))


def mirrored(*names: str) -> Break:
    return fields(*names, by=lambda x: x[..., ::-1].copy())


def levels_reversed(*names: str) -> Break:
    return fields(*names, by=lambda x: x[:, ::-1].copy())


def scaled(*names: str, factor: float = 1.0, plus: float = 0.0) -> Break:
    return fields(*names, by=lambda x: x * np.float32(factor) + np.float32(plus))


def exchanged(one: str, other: str) -> Break:
    return lambda dataset: dataset.assign({one: dataset[other], other: dataset[one]})


def holes(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[..., 5, 3:6] = np.nan
    return x


def empty_chunk(x: np.ndarray) -> np.ndarray:
    return np.where(np.arange(x.shape[-2])[:, None] < x.shape[-2] // 4, 0, x).astype(x.dtype)


def same(x: np.ndarray) -> np.ndarray:
    return np.full_like(x, x.flat[x.size // 2])


def later(hours: int) -> Break:
    return lambda dataset: dataset.assign_coords(time=dataset["time"] + np.timedelta64(hours, "h"))


def frame_twice(dataset: xr.Dataset) -> xr.Dataset:
    twice = dataset.isel(time=[0, 0, 2])
    return twice.assign_coords(time=dataset["time"])


def fill_value(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[..., 3, 4:7] = -9999
    return x


def partly_negative(x: np.ndarray) -> np.ndarray:
    mean = x.mean((-2, -1), keepdims=True)
    return np.where(x < mean / 2, -mean / 20, x)


def northern_half(by: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    def broken(x: np.ndarray) -> np.ndarray:
        rows = np.arange(x.shape[-2])[:, None]
        return np.where(rows > x.shape[-2] // 2, by(x), x)

    return broken


def half_turned(x: np.ndarray) -> np.ndarray:
    return np.roll(x, x.shape[-1] // 2, axis=-1)


def zeros_at(row: int, column: int, size: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    def broken(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[0, -3, row : row + size, column : column + size] = 0
        return x

    return broken


def neighbours_exchanged(upper: int) -> Callable[[np.ndarray], np.ndarray]:
    """Exchange the level at an index with the one below it."""

    def broken(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[:, [upper, upper + 1]] = x[:, [upper + 1, upper]]
        return x

    return broken


def two_levels_mirrored(dataset: xr.Dataset) -> xr.Dataset:
    return mirrored()(dataset[[Z, T]].sel(level=[500, 850]))


def backwards(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.isel(time=slice(None, None, -1)).assign_coords(time=dataset["time"])


def one_frame_late(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[:1], x[:-1]])


def one_frame(wrong: Break) -> Break:
    def broken(dataset: xr.Dataset) -> xr.Dataset:
        frames = [dataset.isel(time=[0]), wrong(dataset.isel(time=[1])), dataset.isel(time=[2])]
        return xr.concat(frames, "time", data_vars="minimal")

    return broken


def frame_packed_twice(dataset: xr.Dataset) -> xr.Dataset:
    return one_frame(scaled(T, Z, U, V, factor=1 + 2e-5))(frame_twice(dataset))


def with_sunlight(hours_off: int) -> Break:
    def broken(dataset: xr.Dataset) -> xr.Dataset:
        name = "toa_incident_solar_radiation"
        where = (dataset["latitude"].values, dataset["longitude"].values)
        frames = [
            forcing_frame([name], time + np.timedelta64(hours_off, "h"), *where)[name]
            for time in dataset["time"].values
        ]
        sun = np.stack([frame.values for frame in frames])
        return dataset.assign({name: (("time", "latitude", "longitude"), sun)})

    return broken


def accumulated(dataset: xr.Dataset) -> xr.Dataset:
    later_time = dataset["time"] + np.timedelta64(6, "h")
    # Three hours of the same rain on top, elsewhere: a sum that goes on.
    more = dataset[RAIN] + np.roll(dataset[RAIN].values, 9, axis=-1) / 2
    second = rolled_a_little(dataset).assign({RAIN: more}).assign_coords(time=later_time)
    return xr.concat([dataset, second], "time", data_vars="minimal")


def rolled_a_little(dataset: xr.Dataset) -> xr.Dataset:
    return fields(by=lambda x: np.roll(x, 1, axis=-1))(dataset)


def half_a_cell_off(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.assign_coords(longitude=dataset["longitude"] + 5.0)


def turned(*names: str, degrees: float) -> Break:
    columns = degrees / 360
    return fields(*names, by=lambda x: np.roll(x, round(columns * x.shape[-1]), axis=-1))


def frames_exchanged(x: np.ndarray) -> np.ndarray:
    return x[[1, 0, *range(2, len(x))]]


def patch_of_zeros(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[:, :, 8:11, 4:9] = 0
    return x


BROKEN = [
    # (file, how, rule that must speak, its severity, words)
    ("ifs", scaled(T, plus=-273.15), "units", "error", "°C"),
    ("era5", scaled(T, plus=-273.15), "units", "error", "°C"),
    ("series", scaled(T2, plus=-273.15), "units", "error", "°C"),
    ("ifs", scaled(Z, factor=1 / 9.80665), "units", "error", "metres of height"),
    ("series", scaled(MSL, factor=0.01), "units", "error", "hPa"),
    ("gfs", scaled(Q, factor=1000), "units", "error", "g kg-1"),
    ("ifs", lambda x: x.assign({Q: x["relative_humidity"]}), "units", "error", "relative humidity"),
    ("gfs", scaled(RAIN, factor=1000), "units", "error", "mm"),
    ("gfs", scaled(HILLS, factor=1 / 9.80665), "units", "error", "metres of height"),
    ("gfs", scaled(LAND, factor=100), "units", "error", "%"),
    ("ifs", scaled("relative_humidity", factor=0.01), "units", "error", "fraction"),
    ("series", scaled(U10, V10, factor=1.944), "units", "error", "knots"),
    ("ifs", scaled(U, V, factor=1.944), "winds", "error", "what balances"),
    ("ifs", scaled(U, V, factor=0.5144), "winds", "error", "what balances"),
    ("ifs", turned(U, degrees=30), "winds", "error", "does not follow from geopotential"),
    ("ifs", scaled(Q, factor=0.001), "climate", "error", "weather does not move it"),
    ("ifs", fields(Q, by=patch_of_zeros), "fills", "error", "written as 0"),
    ("ifs", turned(degrees=10), "shift", "error", "10° east of where it is"),
    ("gfs", turned(degrees=-10), "shift", "error", "10° west of where it is"),
    ("series", turned(degrees=10), "shift", "error", "10° east"),
    ("ifs", half_a_cell_off, "shift", "error", "centres of cells or edges"),
    ("ifs", fields(Q, by=frames_exchanged), "sequence", "error", Q),
    ("ifs", fields(U, by=frames_exchanged), "sequence", "error", U),
    ("ifs", fields(V, by=frames_exchanged), "sequence", "error", V),
    ("gfs", scaled(RAIN, factor=1 / 6), "precipitation", "warning", "looks like 0.98 h"),
    ("gfs", scaled(RAIN, factor=4), "precipitation", "warning", "check the window"),
    ("gfs", accumulated, "precipitation", "error", "since the start"),
    ("ifs", fields(T, by=holes), "gaps", "error", "begins at latitude"),
    ("series", fields(T2, by=holes), "gaps", "error", "begins at latitude"),
    ("ifs", fields(T, by=same), "constant", "error", "the same everywhere"),
    ("gfs", fields(MSL, by=empty_chunk), "constant", "error", "exactly 0"),
    ("era5", fields(U, by=empty_chunk), "constant", "error", "exactly 0"),
    ("ifs", frame_twice, "repeated", "error", "point by point"),
    ("ifs", one_frame(rolled()), "continuity", "error", "do not follow"),
    ("series", one_frame(upside_down(MSL)), "continuity", "error", "do not follow"),
    ("ifs", scaled(T, plus=8), "hydrostatic", "error", "against the temperature"),
    ("gfs", rolled(Z), "hydrostatic", "error", "not those of the same air"),
    ("gfs", rolled(MSL), "hydrostatic", "error", "mean_sea_level_pressure"),
    ("zt", scaled(T, plus=8), "climate", "warning", "weather does not move it"),
    ("ifs", levels_reversed(), "climate", "error", "spreads"),
    ("era5", levels_reversed(Q), "climate", "error", "spreads"),
    ("ifs", upside_down(), "latitude", "error", "the other way round"),
    ("series", upside_down(), "latitude", "error", "the other way round"),
    ("eda", upside_down(Z), "latitude", "error", Z),
    ("era5", upside_down(T), "latitude", "error", T),
    ("msl", upside_down(MSL), "latitude", "error", MSL),
    ("ifs", later(24 * 182), "season", "error", "days away"),
    ("tuv", later(24 * 91), "season", "warning", "days away"),
    ("ifs", rolled(), "longitude", "error", "180°"),
    ("era5", rolled(), "longitude", "error", "180°"),
    ("series", rolled(), "longitude", "error", "180°"),
    ("tuv", mirrored(), "longitude", "error", "east and west"),
    ("zt", rolled(), "longitude", "error", "180°"),
    ("eda", rolled(), "longitude", "error", "180°"),
    ("eda", mirrored(), "longitude", "error", "east and west"),
    ("era5", two_levels_mirrored, "longitude", "error", "heat away from the poles"),
    ("ifs", fields(by=northern_half(half_turned)), "halves", "error", "turned by 180°"),
    ("zt", fields(by=northern_half(lambda x: x[..., ::-1])), "halves", "error", "mirrored"),
    ("series", fields(MSL, by=northern_half(half_turned)), "halves", "error", MSL),
    ("eda", backwards, "sequence", "error", "against the wind"),
    ("ifs", backwards, "sequence", "error", "exchanged"),
    ("ifs", fields(Z, by=one_frame_late), "lag", "error", "goes with temperature at"),
    ("eda", fields(Z, by=one_frame_late), "lag", "error", "a frame late"),
    ("ifs", fields(T, by=one_frame_late), "lag", "error", "a frame late"),
    ("ifs", fields(U, by=neighbours_exchanged(2)), "order", "error", "500, 700 hPa"),
    ("era5", fields(V, by=neighbours_exchanged(20)), "order", "error", "450, 500 hPa"),
    ("gfs", fields(U, by=neighbours_exchanged(23)), "order", "error", "950, 975 hPa"),
    ("era5", fields(U, by=zeros_at(18, 30)), "fills", "warning", "exactly 0 at latitude"),
    ("era5", fields(V, by=zeros_at(12, 20, 2)), "fills", "warning", "written as 0"),
    ("gfs", fields(U, by=zeros_at(40, 20, 3)), "fills", "warning", "written as 0"),
    ("ifs", fields(V, by=zeros_at(8, 20, 3)), "fills", "error", "at 9 points at 700 hPa"),
    ("gfs", fields(Q, by=zeros_at(36, 70)), "fills", "warning", "latitude 0, longitude 175"),
    ("gfs", rolled(HILLS), "statics", "error", "180°"),
    ("gfs", upside_down(LAND), "statics", "error", "latitude"),
    ("flux", scaled(LAND, factor=-1, plus=1), "statics", "error", "1 over sea"),
    ("ifs", with_sunlight(6), "sunlight", "error", "6 h later"),
    ("series", later(12), "clock", "error", "morning"),
    ("ifs", rolled(), "clock", "error", "° of longitude"),
    ("ifs", exchanged(U, V), "winds", "error", "exchanged"),
    ("gfs", scaled(U, factor=-1), "winds", "error", "eastward wind has the wrong sign"),
    ("era5", scaled(V, factor=-1), "winds", "error", "northward wind has the wrong sign"),
    ("tuv", scaled(U, V, factor=-1), "winds", "error", "both components"),
    ("series", exchanged(U10, V10), "winds", "error", "exchanged"),
    ("flux", scaled(V10, factor=-1), "winds", "warning", "diverge"),
    ("gfs", scaled(W, factor=-1), "ascent", "error", "change its sign"),
    ("gfs", rolled(W), "ascent", "warning", "same air"),
    ("gfs", upside_down(W), "ascent", "warning", "same air"),
    ("gfs", scaled(W, factor=0.01), "units", "error", "hPa s-1"),
    ("gfs", fields(Z, by=fill_value), "units", "error", "fill values"),
    ("gfs", fields(Q, by=partly_negative), "humidity", "warning", "below zero"),
    ("era5", fields(Q, by=lambda x: x - np.float32(1e-4)), "humidity", "error", "below zero"),
    ("ifs", frame_packed_twice, "repeated", "error", "but for rounding"),
    ("era5", rolled(Q), "humidity", "warning", "can hold"),
]
