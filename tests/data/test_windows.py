"""The start of a forecast: right data are taken as they are, wrong ones refused in a sentence."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from data.canonical.units import conversion
from data.forcings import forcing_frame
from data.samples import analyses
from data.sources import open_inputs
from data.standard_atmosphere import standard_geopotential
from data.task import STEP, TASKS, Task
from data.variables import VARIABLES
from data.windows import window
from tests.reference import PARITY, real

INIT = np.datetime64("2022-01-01T06", "ns")
CLOCKS = ("day_progress_sin", "toa_incident_solar_radiation", "year_progress_cos")
PREDICTED = (
    "2m_temperature",
    "geopotential",
    "mean_sea_level_pressure",
    "specific_humidity",
    "temperature",
    "total_precipitation_6hr",
    "vertical_velocity",
)
STATIC = ("geopotential_at_surface", "land_sea_mask")
LEVELS = (50, 300, 500, 850, 1000)
TASK = Task("small", PREDICTED + CLOCKS + STATIC, PREDICTED, CLOCKS, LEVELS)


def weather(times: int = 2, step: np.timedelta64 = STEP) -> xr.Dataset:
    """Canonical inputs of TASK, as smooth as a zonal mean: the last two times are at INIT."""
    latitude = np.linspace(-90, 90, 13)
    longitude = np.arange(24) * 15.0
    level = np.array(LEVELS, dtype=np.int32)
    cos = np.cos(np.deg2rad(latitude))[:, None] * np.ones(24)
    mountains = 4e4 * np.exp(-(((latitude[:, None] - 30) / 15) ** 2 + ((longitude - 90) / 20) ** 2))
    aloft = np.array([standard_geopotential(p) for p in LEVELS])[:, None, None]
    flat = {
        "2m_temperature": 245 + 55 * cos,
        "mean_sea_level_pressure": 1.0e5 + 2e3 * cos,
        "total_precipitation_6hr": 1e-3 * cos,
        "geopotential": aloft + 3e3 * cos - 2e3,
        "temperature": np.array([205, 230, 255, 280, 290])[:, None, None] + 5 * cos,
        "specific_humidity": np.array([3e-6, 1e-4, 1e-3, 6e-3, 1e-2])[:, None, None] * cos,
        "vertical_velocity": 0.1 * np.sin(np.deg2rad(longitude)) * np.ones((5, 13, 1)),
    }
    dims = ("level", "latitude", "longitude")
    frame = xr.Dataset(
        {n: (dims[3 - np.ndim(v) :], np.float32(v)) for n, v in flat.items()},
        coords={"level": level, "latitude": latitude, "longitude": longitude},
    )
    time = INIT - step * np.arange(times)[::-1]
    statics = {"geopotential_at_surface": mountains, "land_sea_mask": np.float32(mountains > 1e3)}
    frame = frame.expand_dims(time=time)
    return frame.assign({n: (dims[1:], np.float32(v)) for n, v in statics.items()}).copy(deep=True)


def changed(name: str, function) -> xr.Dataset:
    return weather().assign({name: function(weather()[name]).assign_attrs({})})


# ------------------------------------------------------------------------------- accepted


def test_a_window_is_two_frames_of_all_inputs():
    dataset = weather().assign(unasked=weather()["temperature"] * np.nan)
    w = window(dataset, TASK)
    assert w.init_time == INIT
    assert w.frames["time"].values.tolist() == [(INIT - STEP).astype(int), INIT.astype(int)]
    assert set(w.frames.data_vars) == set(TASK.inputs)
    assert all(w.frames[n].dtype == np.float32 for n in w.frames)
    assert w.frames["temperature"].dims == ("time", "level", "latitude", "longitude")
    assert w.frames["land_sea_mask"].dims == ("latitude", "longitude")
    assert w.frames["year_progress_cos"].dims == ("time",)
    assert w.frames["temperature"].attrs["units"] == "K"
    xr.testing.assert_equal(w.frames["temperature"], dataset["temperature"])


def test_a_twelve_hour_task_starts_from_frames_twelve_hours_apart():
    """The step is the task's: window, messages and forcings all count in twelve hours."""
    task = replace(TASK, step_hours=12)
    w = window(weather(3), task, init_time=INIT)
    assert w.frames["time"].values.tolist() == [(INIT - 2 * STEP).astype(int), INIT.astype(int)]
    np.testing.assert_array_equal(
        w.frames["toa_incident_solar_radiation"].isel(time=0),
        forcing_frame(
            ["toa_incident_solar_radiation"],
            INIT - 2 * STEP,
            *(weather()[axis].values for axis in ("latitude", "longitude")),
        )["toa_incident_solar_radiation"],
    )
    message = refusal(weather(2), task)
    assert "two frames 12 h apart, and the times of the file" in message
    assert "are 6 h apart; give a 12-hourly series" in message
    message = refusal(weather(1), task)
    assert "one time, 2022-01-01T06: add 2021-12-31T18 or 2022-01-01T18" in message


def test_a_twelve_hour_task_checks_the_forcings_of_its_own_steps():
    later = INIT + 2 * STEP * np.arange(1, 3)
    sun = (weather()["2m_temperature"].isel(time=0, drop=True) * 0 + 1.25e6).expand_dims(time=later)
    sun = sun.copy()
    sun[1, 0, 0] = np.nan
    forcings = xr.Dataset({"toa_incident_solar_radiation": sun})
    w = window(weather(3), replace(TASK, step_hours=12), init_time=INIT, forcings=forcings)
    w.check_forcings(1)
    with pytest.raises(ValueError, match="toa_incident_solar_radiation must have a value every"):
        w.check_forcings(2)


def test_forcings_are_computed_where_no_file_has_them():
    w = window(weather(), TASK)
    frame = w.forcing_frame(INIT + 3 * STEP)
    assert tuple(frame.data_vars) == CLOCKS
    assert frame["time"].item() == (INIT + 3 * STEP).astype(int)
    latitude, longitude = weather()["latitude"].values, weather()["longitude"].values
    expected = forcing_frame(CLOCKS, INIT + 3 * STEP, latitude, longitude)
    xr.testing.assert_identical(frame, expected)
    before = forcing_frame(CLOCKS, INIT - STEP, latitude, longitude)
    for name in CLOCKS:
        np.testing.assert_array_equal(w.frames[name].isel(time=0), before[name])
    assert "toa_incident_solar_radiation: computed for later times" in w.provenance
    assert not any(dataset.data_vars for dataset in w.later_forcings.datasets)


def test_forcings_found_in_a_file_are_used_as_they_are():
    later = INIT + STEP * np.arange(1, 3)
    sun = weather()["2m_temperature"].isel(time=0, drop=True) * 0 + 1.25e6
    forcings = xr.Dataset({"toa_incident_solar_radiation": sun.expand_dims(time=later)})
    # rounded otherwise than those of the inputs, as another file's coordinates may be
    forcings = forcings.assign_coords(
        longitude=forcings["longitude"].astype(np.float32) + np.float32(1e-4)
    )
    w = window(weather(), TASK, forcings=forcings)
    frame = w.forcing_frame(later[1])
    assert (frame["toa_incident_solar_radiation"] == np.float32(1.25e6)).all()
    assert frame["toa_incident_solar_radiation"].dtype == np.float32
    np.testing.assert_array_equal(frame["longitude"], weather()["longitude"])
    assert tuple(frame.data_vars) == CLOCKS
    beyond = w.forcing_frame(later[1] + STEP)["toa_incident_solar_radiation"]
    assert float(beyond.min()) == 0
    note = "toa_incident_solar_radiation: read from the forcings for 2022-01-01T12 … 2022-01-01T18"
    assert note + ", computed beyond" in w.provenance


def test_forcings_of_the_inputs_are_used_at_their_times():
    times = INIT + STEP * np.arange(-1, 2)
    sun = weather()["2m_temperature"].isel(time=0, drop=True) * 0 + 1.25e6
    dataset = weather().reindex(time=times)
    dataset["toa_incident_solar_radiation"] = sun.expand_dims(time=times)
    for name in STATIC:
        dataset[name] = weather()[name]
    w = window(dataset, TASK, init_time=INIT)
    assert (w.frames["toa_incident_solar_radiation"] == np.float32(1.25e6)).all()
    assert (w.forcing_frame(INIT + STEP)["toa_incident_solar_radiation"] == 1.25e6).all()
    assert float(w.forcing_frame(INIT + 2 * STEP)["toa_incident_solar_radiation"].min()) == 0
    assert w.later_forcings.datasets[0]["time"].values.tolist() == [times[2].astype(int)]


@pytest.mark.parametrize("case", PARITY)
def test_random_fields_of_the_right_size_are_accepted(case):
    task = TASKS["graphcast_operational" if "operational" in case else "graphcast_small"]
    (inputs,) = open_inputs(PARITY[case] / "inputs.nc", init_time=INIT)
    (forcings,) = open_inputs(PARITY[case] / "forcings.nc", init_time=INIT)
    w = window(inputs, task, forcings=forcings)
    raw = xr.load_dataset(PARITY[case] / "forcings.nc", decode_timedelta=True)
    frame = w.forcing_frame(INIT + STEP)
    for name in task.forcings:
        np.testing.assert_array_equal(frame[name], raw[name].isel(batch=0, time=0))
    # what the network made of them, negative rain and humidity and all, may start the next one
    (later,) = open_inputs(PARITY[case] / "targets.nc", init_time=INIT - 2 * STEP)
    first = later.isel(time=slice(0, 2)).assign({n: inputs[n] for n in task.statics})
    assert window(first, task).frames.sizes["time"] == 2


def task_of(dataset: xr.Dataset, *names: str) -> Task:
    levels = tuple(dataset["level"].values.tolist()) if "level" in dataset.dims else ()
    statics = tuple(n for n in STATIC if n in dataset)
    return Task("as the file is", names + statics + CLOCKS, names, CLOCKS, levels)


def test_the_sample_starts_forecasts_at_seven_times():
    (sample,) = open_inputs(analyses())
    task = task_of(sample, "geopotential", "temperature", "specific_humidity")
    for time in sample["time"].values[1:]:
        w = window(sample, task, init_time=time)
        assert w.frames["time"].values[1] == time
    assert any(note.startswith("specific_humidity: derived from") for note in w.provenance)


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("states/gfs_2p5deg_2011100800_f072.grib2", (100, 300, 500, 850, 1000)),
        ("states/era5_tl31_37lev_19590102T00.nc", TASKS["graphcast"].levels),
        ("ensemble/era5_eda_3deg_12h_20170101-02.grib", (500, 850)),
        ("series/era5_surface_1deg_7h_202603.zarr", ()),
        ("grib/test4.grib", (500, 850)),
    ],
)
def test_real_weather_raises_no_false_alarm(name, levels):
    """Real files that lack a second frame 6 h away, with their last frame for it."""
    (dataset, *_) = open_inputs(real(name))
    last = dataset.isel(time=-1)
    pair = xr.concat([last, last], dim="time", data_vars="minimal", coords="minimal")
    times = last["time"].values - STEP * np.array([1, 0])
    pair = last.drop_vars("time").expand_dims(time=times)
    pair = pair.assign({n: dataset[n] for n in dataset if "time" not in dataset[n].dims})
    candidates = [*TASKS["graphcast"].targets, "surface_pressure", "sea_surface_temperature"]
    names = [n for n in candidates if n in dataset]
    task = task_of(dataset, *names)
    task = Task(task.name, task.inputs, task.targets, task.forcings, levels)
    assert window(pair, task).frames.sizes["time"] == 2


# -------------------------------------------------------------------------------- refused


def refusal(dataset: xr.Dataset, task: Task = TASK, **options: object) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        window(dataset, task, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


def test_one_frame_is_not_enough():
    message = refusal(weather(1))
    assert "the file holds one time, 2022-01-01T06: add 2022-01-01T00 or 2022-01-01T12" in message


def test_no_times_are_refused():
    assert "the file gives no times" in refusal(weather().isel(time=0, drop=True))


def test_frames_seven_hours_apart_are_refused():
    message = refusal(weather(2, np.timedelta64(7, "h")))
    assert "2021-12-31T23, 2022-01-01T06" in message
    assert "are 7 h apart; give a 6-hourly series" in message


def test_a_series_of_seven_and_eight_hours_is_refused():
    (series,) = open_inputs(real("series/era5_surface_1deg_7h_202603.zarr"))
    task = task_of(series, "2m_temperature")
    message = refusal(series, task, init_time=np.datetime64("2026-03-25T21", "ns"))
    assert "2026-03-25T14, 2026-03-25T21" in message
    assert "are 7 or 8 h apart" in message


def test_of_many_times_one_must_be_named():
    message = refusal(weather(12))
    assert "the file holds 12 times; name one of these" in message
    assert "2021-12-29T18, 2021-12-30T00" in message
    assert ", ..., 2022-01-01T06" in message


def test_an_initial_time_that_is_not_there_is_refused():
    message = refusal(weather(3), init_time=np.datetime64("2022-01-01T05"))
    assert "has no 2022-01-01T05; it can start from 2022-01-01T00, 2022-01-01T06" in message


def test_an_initial_time_without_a_frame_before_it_is_refused():
    message = refusal(weather(3), init_time=INIT - 2 * STEP)
    assert "from 2021-12-31T18 the file has no 2021-12-31T12" in message


def test_missing_variables_are_named_all_at_once():
    message = refusal(weather().drop_vars(["temperature", "2m_temperature"]))
    assert "it lacks 2m_temperature, temperature; the file has geopotential, " in message


def test_a_variable_under_an_odd_name_is_suggested():
    message = refusal(weather().rename({"2m_temperature": "2m_temperatur"}))
    assert "2m_temperature (is it '2m_temperatur'?)" in message


def test_hourly_rain_does_not_pass_for_six_hours():
    message = refusal(weather().rename(total_precipitation_6hr="tp"))
    assert "tp is no sum over six hours as far as the file says" in message


def test_humidity_without_a_unit_is_explained():
    dataset = weather().rename(specific_humidity="relative_humidity")
    assert "it can be derived from relative_humidity in %" in refusal(dataset)


def test_missing_statics_are_explained():
    message = refusal(weather().drop_vars("land_sea_mask"))
    assert "it lacks land_sea_mask (constant in time, but part of every input" in message


def test_missing_levels_are_named():
    message = refusal(weather().sel(level=[300, 850, 1000]))
    assert "lacks 50, 500 hPa; it has 300, 850, 1000" in message
    assert "it has no levels" in refusal(
        weather().drop_dims("level").assign({n: weather()["2m_temperature"] for n in PREDICTED})
    )


def test_a_level_or_time_of_nothing_but_gaps_is_missing():
    holes = changed("temperature", lambda t: t.where(t["level"] != 500))
    assert "temperature must be given at every level, and the file has none of it at 500 hPa" in (
        refusal(holes)
    )
    holes = changed("temperature", lambda t: t.where(t["time"] != INIT))
    assert "has none of it at 2022-01-01T06; add it" in refusal(holes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gaps_are_counted_and_located(bad):
    dataset = weather()
    dataset["2m_temperature"][1, 3, 5:7] = bad
    message = refusal(dataset)
    assert "2m_temperature must have a value everywhere, and 2 of its 624 are missing" in message
    assert "time 2022-01-01T06, latitude -45, longitude 75" in message


WRONG_UNITS = {
    "°C": ("temperature", lambda x: x - 273.15),
    "metres of height": ("geopotential", lambda x: x / 9.80665),
    "hPa": ("mean_sea_level_pressure", lambda x: x / 100),
    "g kg-1": ("specific_humidity", lambda x: x * 1000),
    "mm": ("total_precipitation_6hr", lambda x: x * 1000),
    "%": ("land_sea_mask", lambda x: x * 100),
}


@pytest.mark.parametrize("unit", WRONG_UNITS)
def test_a_wrong_unit_is_seen_and_named(unit):
    name, function = WRONG_UNITS[unit]
    message = refusal(changed(name, function))
    assert f"{name} must be in {VARIABLES[name].units}" in message
    assert f"as if it were in {unit}" in message


def test_a_wrong_unit_is_seen_even_if_the_file_claims_the_right_one():
    dataset = changed("2m_temperature", lambda t: t - 273.15)
    dataset["2m_temperature"].attrs["units"] = "K"
    assert "as if it were in °C" in refusal(dataset)


def test_surface_heights_in_metres_are_seen():
    message = refusal(changed("geopotential_at_surface", lambda z: z / 9.80665))
    assert "geopotential_at_surface must be in m2 s-2" in message


def test_sunlight_in_watts_is_seen():
    dataset = weather()
    sun = np.float32(340) + 0 * dataset["2m_temperature"]
    message = refusal(dataset.assign(toa_incident_solar_radiation=sun))
    assert "toa_incident_solar_radiation must be in J m-2" in message
    assert "as if it were in W m-2" in message


def test_a_unit_that_nobody_can_convert_is_named():
    dataset = weather()
    dataset["temperature"].attrs["units"] = "furlong"
    assert "temperature must be in K, and the file states 'furlong'" in refusal(dataset)


@pytest.mark.parametrize("fill", [-999.0, 9999.0, 1e20])
def test_fill_values_are_seen(fill):
    dataset = weather()
    dataset["temperature"][0, 2, 4, 4] = fill
    message = refusal(dataset)
    assert "temperature must" in message
    assert "at 500 hPa" in message


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ({"longitude": slice(0, 12)}, "longitudes must be uniform and go once around the globe"),
        (
            {"longitude": [0, 1, 2, 4, *range(5, 24)]},
            "once around the globe (23 columns, 15.6522 degrees apart), got 0, 15, ..., 345",
        ),
        (
            {"latitude": slice(0, 8)},
            "latitudes must reach from pole to pole (the end rows within one step of ±90), got -90",
        ),
    ],
)
def test_less_than_the_globe_is_refused(region, words):
    assert words in refusal(weather().isel(region))


def test_grids_of_inputs_and_forcings_must_agree():
    forcings = weather().isel(latitude=slice(None, None, 2))
    message = refusal(weather(), forcings=forcings)
    assert "inputs and forcings must share one grid" in message
    assert (
        "13 x 24 points (latitudes -90, -75, ..., 90, longitudes 0, 15, ..., 345) in the inputs"
        in message
    )


def test_forcings_go_before_inputs_and_inputs_before_what_is_computed():
    times = INIT + STEP * np.arange(-1, 3)
    sun = weather()["2m_temperature"].isel(time=0, drop=True) * 0 + 1e6
    dataset = weather().reindex(time=times)
    dataset["toa_incident_solar_radiation"] = sun.expand_dims(time=times)
    for name in STATIC:
        dataset[name] = weather()[name]
    other = xr.Dataset({"toa_incident_solar_radiation": (sun * 1.5).expand_dims(time=times[2:3])})
    other["year_progress_cos"] = ("time", [0.25])
    w = window(dataset, TASK, init_time=INIT, forcings=other)
    seen = [w.forcing_frame(time)["toa_incident_solar_radiation"] for time in times]
    assert [float(field.max()) for field in seen[2:]] == [1.5e6, 1e6]
    assert float(w.forcing_frame(times[2])["year_progress_cos"]) == 0.25
    assert float(w.forcing_frame(times[3])["year_progress_cos"]) > 0.9
    assert any(
        "read from the forcings for 2022-01-01T12 … 2022-01-01T12, else read from the inputs" in n
        for n in w.provenance
    )


def test_clocks_of_the_input_frames_come_from_the_forcings_where_the_inputs_lack_them():
    forcings = xr.Dataset({"year_progress_cos": ("time", [0.25, 0.5])})
    forcings = forcings.assign_coords(
        time=weather()["time"].values,
        **{axis: weather()[axis] for axis in ("latitude", "longitude")},
    )
    w = window(weather(), TASK, forcings=forcings)
    np.testing.assert_array_equal(w.frames["year_progress_cos"], [0.25, 0.5])
    assert "year_progress_cos: read from the forcings for the input frames" in w.provenance
    assert "day_progress_sin: computed for the input frames" in w.provenance


def test_a_gap_in_the_forcings_is_seen_when_it_is_reached():
    later = INIT + STEP * np.arange(1, 3)
    sun = (weather()["2m_temperature"].isel(time=0, drop=True) * 0 + 1.25e6).expand_dims(time=later)
    sun = sun.copy()
    sun[1, 0, 0] = np.nan
    w = window(weather(), TASK, forcings=xr.Dataset({"toa_incident_solar_radiation": sun}))
    w.forcing_frame(later[0])
    with pytest.raises(ValueError, match="toa_incident_solar_radiation must have a value every"):
        w.forcing_frame(later[1])
    w.check_forcings(1)
    with pytest.raises(ValueError, match="toa_incident_solar_radiation must have a value every"):
        w.check_forcings(2)


# ---------------------------------------------------------------------------------- lazy


def test_only_the_two_frames_of_the_task_are_read():
    times = 5000
    read: list[tuple[str, int]] = []
    pair = weather()

    def series(name: str) -> xr.DataArray:
        one = pair[name].isel(time=0, drop=True)

        def chunk(block_info: dict) -> np.ndarray:
            read.append((name, block_info[None]["chunk-location"][0]))
            return one.values[np.newaxis]

        chunks = ((1,) * times, *((n,) for n in one.shape))
        lazy = da.map_blocks(
            chunk, chunks=chunks, dtype=np.float32, meta=np.empty((0,) * len(chunks))
        )
        return xr.DataArray(lazy, dims=("time", *one.dims))

    store = xr.Dataset(
        {name: series(name) for name in (*PREDICTED,)} | {n: pair[n] for n in STATIC},
        coords=pair.drop_vars("time").coords,
    ).assign_coords(time=INIT + STEP * np.arange(times))
    store["unasked"] = store["temperature"] * 2
    read.clear()
    w = window(store, TASK, init_time=INIT + 4000 * STEP)
    assert sorted(read) == sorted((name, t) for name in PREDICTED for t in (3999, 4000))
    assert w.frames["temperature"].chunks is None


def test_conversions_named_in_refusals_are_those_of_the_reader():
    for unit, (name, wrong) in WRONG_UNITS.items():
        known = conversion(unit, VARIABLES[name].units)
        if known is None:
            continue
        factor, offset = known
        assert wrong(300.0) * factor + offset == pytest.approx(300.0, rel=1e-3)
