"""The start of a forecast: right data are taken as they are, wrong ones refused in a sentence."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from data.forcings import forcing_frame
from data.samples import analyses
from data.sources import open_inputs
from data.task import STEP, TASKS, Task
from data.windows import window
from tests.data.smooth_weather import CLOCKS, INIT, PREDICTED, STATIC, TASK, task_of, weather
from tests.reference import PARITY, real

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
