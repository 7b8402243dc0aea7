"""The doctor: silent on real data as they are, and each rule speaks on real data broken its way."""

from collections.abc import Callable
from dataclasses import replace

import dask
import numpy as np
import pytest
import xarray as xr

from data.doctor import RULES, Finding, examine, examine_frames, exit_code, refuse
from data.doctor.case import Case
from data.doctor.digest import digested
from data.doctor.exact_zeros import zeros
from data.forcings import forcing_frame
from data.regrid import regrid
from data.samples import analyses
from data.sources import open_inputs
from data.task import TASKS
from mesh.grid import LatLonGrid
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


def test_examined_names_are_the_rules():
    for name, rule in RULES.items():
        assert rule.__name__ == name


@pytest.mark.parametrize("name", ["ifs", *(f for f in FILES if f != "series")])
def test_real_data_raise_no_alarm(name):
    worse = [finding for finding in examine(real(name)) if finding.severity != "note"]
    assert worse == []


def test_the_series_of_seven_hours_is_found_and_nothing_else():
    worse = [finding for finding in examine(real("series")) if finding.severity != "note"]
    assert [finding.rule for finding in worse] == ["times"]
    assert "7 or 8 h apart, and none 6 h" in worse[0].message


@pytest.mark.parametrize("step", [1, 2, 4])
def test_real_data_on_coarser_grids_raise_no_alarm(step):
    coarse = real("gfs").isel(latitude=slice(None, None, step), longitude=slice(None, None, step))
    assert exit_code(examine(coarse)) == 0


@pytest.mark.parametrize("grid", ["10", "6", "N16"])
@pytest.mark.parametrize("name", ["gfs", "era5", "zt"])
def test_real_data_regridded_raise_no_alarm(name, grid):
    dataset = real(name)[[n for n in (T, Z, Q, U, V, MSL) if n in real(name)]]
    whole = [n for n in dataset.data_vars if np.isfinite(dataset[n].values).all()]
    assert exit_code(examine(regrid(dataset[whole], LatLonGrid.named(grid)).load())) == 0


@pytest.mark.parametrize("missing", [300, 400, 500, 700, 850, 1000])
def test_two_frames_with_a_level_missing_raise_no_alarm(missing):
    frames = real("ifs").isel(time=slice(1, 3)).drop_sel(level=missing)
    assert exit_code(examine_frames(frames)) == 0


@pytest.mark.parametrize("name", ["ifs", "era5"])
def test_any_levels_of_real_data_raise_no_alarm(name):
    dataset = real(name)
    draw = np.random.default_rng(0)
    for count in (1, 1, 2, 3, 5):
        levels = np.sort(draw.choice(dataset["level"].values, count, replace=False))
        assert exit_code(examine(dataset.sel(level=levels))) == 0, levels


@pytest.mark.parametrize("days", [-12, 12])
def test_no_alarm_when_weather_is_a_fortnight_ahead_of_the_climate(days):
    shifted = real("ifs").assign_coords(time=real("ifs")["time"] + np.timedelta64(days, "D"))
    assert exit_code(examine(shifted)) == 0


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


def turned(degrees: float) -> Break:
    return fields(by=lambda x: np.roll(x, round(degrees * x.shape[-1] / 360), axis=-1))


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
    (
        "ifs",
        fields(U, by=lambda x: np.roll(x, 3, axis=-1)),
        "winds",
        "error",
        "does not follow from geopotential",
    ),
    ("ifs", scaled(Q, factor=0.001), "climate", "error", "weather does not move it"),
    ("ifs", fields(Q, by=patch_of_zeros), "fills", "error", "written as 0"),
    ("ifs", turned(10), "shift", "error", "10° east of where it is"),
    ("gfs", turned(-10), "shift", "error", "10° west of where it is"),
    ("series", turned(10), "shift", "error", "10° east"),
    ("ifs", half_a_cell_off, "shift", "error", "centres of cells or edges"),
    ("ifs", fields(Q, by=frames_exchanged), "sequence", "error", "specific_humidity"),
    ("ifs", fields(U, by=frames_exchanged), "sequence", "error", "u_component_of_wind"),
    ("ifs", fields(V, by=frames_exchanged), "sequence", "error", "v_component_of_wind"),
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
    ("tuv", later(24 * 91), "season", "error", "days away"),
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


@pytest.mark.parametrize(
    ("file", "how", "rule", "severity", "words"),
    BROKEN,
    ids=[f"{file}-{rule}-{i}" for i, (file, _, rule, _, _) in enumerate(BROKEN)],
)
def test_a_rule_speaks_on_data_broken_its_way(file, how, rule, severity, words):
    broken = how(real(file))
    finding = spoken(list(RULES[rule](Case.of(broken, None, digested(broken)))), rule)
    assert finding.severity == severity
    assert words in finding.message + finding.remedy


def test_every_rule_is_proven_on_broken_data():
    structural = {"grid", "times", "levels", "variables"}  # below
    assert {rule for _, _, rule, _, _ in BROKEN} | structural == set(RULES)


def test_sunlight_of_its_time_is_fine():
    assert exit_code(examine(with_sunlight(0)(real("ifs")))) == 0


def test_one_level_of_another_field_is_found():
    broken = real("gfs").copy()
    wind = broken[V].values.copy()
    wind[:, 5] *= 1e-5
    findings = examine(broken.assign({V: broken[V].copy(data=wind)}))
    assert "100 hPa" in spoken(findings, "units").message


@pytest.mark.parametrize("level", [300, 500, 700, 850, 1000])
@pytest.mark.parametrize(("factor", "name"), [(1000, Q), (1, "relative_humidity")])
def test_humidity_in_another_measure_is_found_on_any_level_alone(level, factor, name):
    alone = (real("ifs")[name] * factor).sel(level=[level]).assign_attrs(units="kg kg-1")
    assert spoken(examine(alone.to_dataset(name=Q)), "units").severity == "error"


def test_zeros_of_packing_are_told_from_fill_values():
    # steps of 0.01 m/s through 0, and 10,000 points: some are 0
    wind = np.random.default_rng(0).normal(0, 10, (73, 144)).astype(np.float32)
    packed = np.round(wind, 2)
    result = zeros(packed)
    assert result is not None
    # Poisson: 4.2 on average, by the density of a normal distribution
    assert result.expected == pytest.approx(73 * 144 * 0.01 / 10 / np.sqrt(2 * np.pi), rel=0.2)
    assert zeros(wind) is None
    wind[40, 7] = packed[40, 7] = 0
    assert zeros(wind).expected < 0.01
    # no step through 0
    offset = packed + np.float32(0.004)
    offset[40, 7] = 0
    assert zeros(offset).expected == 0


def test_what_is_slightly_odd_is_a_note():
    finding = spoken(examine(real("ifs")), "humidity")
    assert finding.severity == "note"
    assert "-2.28 %" in finding.message
    notes = [f.message for f in examine(real("ifs")) if f.rule == "humidity"]
    assert any("reaches 111 %" in message for message in notes)
    assert spoken(examine(real("series")), "precipitation").severity == "note"
    assert "about 1 h" in spoken(examine(real("series")), "precipitation").message
    empty = [f.message for f in examine(real("gfs")) if f.rule == "gaps"]
    assert "vertical_velocity has no values at all at 5 levels from 10 to 70 hPa" in empty


def flat_planet() -> xr.Dataset:
    """Real weather as on a planet without mountains, 8 K warmer on every level, dry by a third."""
    dataset = real("gfs")
    return dataset.assign(
        {
            HILLS: dataset[HILLS] * 0,
            T: dataset[T] + 8,
            T2: dataset[T2] + 8,
            # 8 K in every layer, so that it stays in balance
            Z: dataset[Z] + np.float32(287.06 * 8) * np.log(1000 / dataset["level"]),
            Q: dataset[Q] * np.float32(0.67),
        }
    )


def test_another_planet_is_no_error():
    findings = examine(flat_planet())
    assert exit_code(findings) == 1
    assert {finding.rule for finding in findings if finding.severity == "warning"} == {
        "climate",
        "constant",
    }


def test_a_planet_that_says_so_has_a_climate_of_its_own():
    planet = flat_planet().assign_attrs(simulated_planet_layout=1)
    findings = examine(planet)
    assert {finding.rule for finding in findings if finding.severity == "warning"} == {"constant"}
    assert "of its own" in spoken(findings, "climate").remedy
    assert exit_code(examine(scaled(T, plus=-273.15)(planet))) == 2


def test_the_value_named_is_that_of_the_constant_field():
    broken = real("ifs")[[T]].copy(deep=True)
    broken[T][1, 2] = 271.5
    assert "(271.5)" in spoken(examine(broken), "constant").message


# Structure.
def test_latitude_and_longitude_exchanged_are_found():
    renamed = real("ifs").rename(latitude="x", longitude="y").rename(x="longitude", y="latitude")
    finding = spoken(examine(renamed), "grid")
    assert "look swapped" in finding.message
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"longitude": slice(0, 12)}, "of 360°"),
        ({"latitude": slice(4, None)}, "only"),
        ({"latitude": [0, 1, 2, 3, 5, 6, *range(7, 19)]}, "rows of latitude are missing"),
        ({"longitude": [*range(5), *range(6, 36)]}, "goes around in steps"),
        ({"latitude": [0]}, "single row"),
        ({"longitude": [*range(36), 0]}, "comes twice"),
    ],
)
def test_grids_that_are_not_the_globe_are_errors(part, words):
    finding = spoken(examine(real("ifs").isel(part)), "grid")
    assert words in finding.message
    assert finding.severity == "error"


def test_a_task_of_another_step_wants_frames_that_far_apart():
    task = replace(TASKS["graphcast_small"], step_hours=12)
    (spacing,) = [f for f in examine(at_times(0, 6), task) if f.rule == "times"]
    assert "6 h apart, and none 12 h" in spacing.message
    assert not [f for f in examine(at_times(0, 12), task) if f.rule == "times"]


def at_times(*hours: float) -> xr.Dataset:
    start = real("ifs").isel(time=np.zeros(len(hours), dtype=int))
    seconds = (np.array(hours) * 3600).astype("timedelta64[s]")
    times = np.datetime64("2024-06-03T00", "ns") + seconds
    return start[["temperature"]].assign_coords(time=times)


@pytest.mark.parametrize(
    ("hours", "severity", "words"),
    [
        ((0,), "note", "one time only"),
        ((0, 12), "note", "12 h apart"),
        ((0, 7, 14, 22), "warning", "7 or 8 h apart"),
        ((0, 6, 12, 24, 30), "warning", "1 time(s) missing, 2024-06-03T18"),
        ((0, 6, 9, 11.5), "warning", "not evenly"),
        ((0, 6, 6), "error", "more than once"),
        ((12, 6, 0), "warning", "do not increase"),
    ],
)
def test_times_that_are_odd_are_found(hours, severity, words):
    finding = spoken(examine(at_times(*hours)), "times")
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize(("start", "words"), [("1970-01-01", "start"), ("1850-01-01", "no date")])
def test_times_of_no_analysis_are_found(start, words):
    dataset = real("ifs")
    since = dataset["time"] - dataset["time"][0] + np.datetime64(start, "ns")
    assert words in spoken(examine(dataset.assign_coords(time=since.values)), "times").message


def test_a_dataset_without_times_is_examined_all_the_same():
    still = real("ifs").isel(time=0, drop=True)
    assert spoken(examine(still), "times").severity == "note"


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ([300, 400, 500, 700, 850, 850], "more than once"),
        ([30000, 40000, 50000, 70000, 85000, 100000], "1100 hPa"),
        ([95, 96, 97, 98, 99, 100], "model levels"),
    ],
)
def test_levels_that_cannot_be_are_errors(levels, words):
    finding = spoken(examine(real("ifs")[[U]].assign_coords(level=levels)), "levels")
    assert words in finding.message
    assert finding.severity == "error"


def test_a_task_makes_what_it_needs_an_error():
    findings = examine(real("ifs"), TASKS["graphcast_small"])
    assert "lacks 50, 100, 150" in spoken(findings, "levels").message
    assert "land_sea_mask" in spoken(findings, "statics").message
    assert "2m_temperature" in spoken(findings, "variables").message
    assert (
        "one time only" in spoken(examine(real("gfs"), TASKS["graphcast_small"]), "times").message
    )
    assert spoken(examine(real("gfs"), TASKS["graphcast_small"]), "gaps").severity == "error"


def test_statics_of_another_grid_are_found():
    hills = xr.DataArray(np.ones((4, 8), np.float32), dims=("y", "x"))
    finding = spoken(examine(real("ifs").assign({HILLS: hills})), "variables")
    assert finding.severity == "error"
    assert "not on the grid of the rest" in finding.message


def test_units_that_no_one_can_convert_are_found():
    strange = real("ifs")[[T]].copy()
    strange[T] = strange[T].assign_attrs(units="furlong")
    assert "'furlong'" in spoken(examine(strange), "units").message
    strange[T].attrs.pop("units")
    assert spoken(examine(strange), "units").severity == "note"


def test_unknown_variables_are_named():
    named = real("msl").rename({MSL: "slpressure"})
    assert "slpressure" in spoken(examine(named), "variables").message


# Sampling, frames, and refusing.
def test_long_data_are_sampled_and_it_is_said(monkeypatch):
    monkeypatch.setattr("data.doctor.digest.EVERY_TIME_UP_TO", 1.0)
    long = at_times(*range(0, 48, 6))
    assert "6 of 8 times" in spoken(examine(long), "sample").message
    assert all(finding.rule != "sample" for finding in examine(long, every_time=True))


def test_two_loaded_frames_are_examined_alike():
    frames = real("ifs").isel(time=slice(0, 2))
    assert exit_code(examine_frames(frames)) == 0
    assert exit_code(examine_frames(rolled()(frames))) == 2


def test_refusing_names_the_first_error_and_lets_warnings_pass():
    refuse(examine(flat_planet()))
    with pytest.raises(ValueError, match="by the rule 'units': temperature must be in K") as raised:
        refuse(examine(scaled(T, plus=-273.15)(real("ifs"))))
    assert "convert it" in str(raised.value)


def test_exit_codes_follow_the_worst_severity():
    note = Finding("a", "note", "b", "c")
    assert exit_code([]) == exit_code([note]) == 0
    assert exit_code([note, Finding("a", "warning", "b", "c")]) == 1
    assert exit_code([Finding("a", "error", "b", "c"), note]) == 2
