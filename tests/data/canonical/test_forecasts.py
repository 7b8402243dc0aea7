"""Forecasts and climatologies as others write them come back; what is ambiguous is refused."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from data.canonical.conventions import canonical
from data.canonical.forecasts import canonical_climatology, canonical_forecast
from data.provenance import remarks
from tests.data.canonical.disguises import ours

HOUR = np.timedelta64(1, "h")
STARTS = np.array(["2020-02-28T00", "2020-02-28T12"], dtype="datetime64[ns]")
LEADS = np.array([6, 12, 24]) * HOUR.astype("timedelta64[ns]")
VARIABLES = ["temperature", "2m_temperature"]


def forecast() -> xr.Dataset:
    """Two starts, three lead times; each field is warmer by its lead time in days."""
    fields = ours()[VARIABLES].isel(time=0, drop=True)
    leads = xr.DataArray(LEADS / (24 * HOUR), dims="prediction_timedelta")
    starts = xr.DataArray([0.0, 10.0], dims="time")
    warmer = (fields + leads.astype(np.float32) + starts.astype(np.float32)).transpose(
        "time", "prediction_timedelta", "level", "latitude", "longitude"
    )
    for name in VARIABLES:
        warmer[name].attrs = {"units": "K"}
    return warmer.assign_coords(time=STARTS, prediction_timedelta=LEADS)


def in_hours(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(prediction_timedelta=("prediction_timedelta", [6, 12, 24]))


def in_hours_with_unit(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(
        prediction_timedelta=("prediction_timedelta", [6.0, 12.0, 24.0], {"units": "hours"})
    )


def in_days(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(
        prediction_timedelta=("prediction_timedelta", [0.25, 0.5, 1.0], {"units": "days"})
    )


def in_nanoseconds(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(prediction_timedelta=LEADS.astype(np.int64))


def init_and_lead(ds: xr.Dataset) -> xr.Dataset:
    ds = ds.rename(time="init_time", prediction_timedelta="lead_time")
    return ds.assign_coords(valid_time=ds["init_time"] + ds["lead_time"])


def valid_as_time(ds: xr.Dataset) -> xr.Dataset:
    ds = ds.rename(time="init_time", prediction_timedelta="lead_time")
    return ds.assign_coords(time=ds["init_time"] + ds["lead_time"])


def reference_and_step(ds: xr.Dataset) -> xr.Dataset:
    return ds.rename(time="forecast_reference_time", prediction_timedelta="step")


def both_names(ds: xr.Dataset) -> xr.Dataset:
    return ds.assign_coords(forecast_reference_time=("time", STARTS))


def counted(ds: xr.Dataset) -> xr.Dataset:
    hours = (STARTS - np.datetime64("2020-01-01")) // HOUR
    return ds.assign_coords(time=("time", hours, {"units": "hours since 2020-01-01"}))


def turned(ds: xr.Dataset) -> xr.Dataset:
    ds = ds.isel(latitude=slice(None, None, -1), prediction_timedelta=[2, 0, 1], time=[1, 0])
    ds = ds.roll(longitude=4, roll_coords=True).assign_coords(longitude=np.arange(8) * 45.0 - 180)
    ds = ds.transpose("longitude", "prediction_timedelta", "latitude", "level", "time")
    return ds.assign_coords(level=("level", ds["level"].values * 100.0, {"units": "Pa"}))


def in_celsius(ds: xr.Dataset) -> xr.Dataset:
    colder = ds - 273.15
    for name in VARIABLES:
        colder[name].attrs = {"units": "degC"}
    return colder.rename({"temperature": "t", "2m_temperature": "t2m"})


LAYOUTS: list[Callable[[xr.Dataset], xr.Dataset]] = [
    in_hours,
    in_hours_with_unit,
    in_days,
    in_nanoseconds,
    init_and_lead,
    valid_as_time,
    reference_and_step,
    both_names,
    counted,
    turned,
    in_celsius,
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_a_forecast_comes_back_from_every_layout(layout):
    result, expected = canonical_forecast(layout(forecast())), forecast()
    assert set(result.data_vars) == set(VARIABLES)
    for name in VARIABLES:
        assert result[name].dims == expected[name].dims
        # 1e-6: a Celsius temperature loses three of 24 bits
        np.testing.assert_allclose(result[name], expected[name], rtol=1e-6)
        assert result[name].attrs["units"] == "K"
    for name in ("time", "prediction_timedelta", "level", "latitude", "longitude"):
        np.testing.assert_array_equal(result[name], expected[name])


@pytest.mark.parametrize(("layout", "unit"), [(in_hours, "hours"), (in_nanoseconds, "nanoseconds")])
def test_the_unit_that_was_found_is_said(layout, unit):
    (remark,) = remarks(canonical_forecast(layout(forecast())))
    assert remark == f"lead times (prediction_timedelta) state no unit, and are taken for {unit}"


@pytest.mark.parametrize("name", ["number", "realization", "member", "ensemble", "sample"])
def test_members_are_numbers_under_every_name(name):
    several = xr.concat([forecast(), forecast() + 1], name, data_vars="all")
    result = canonical_forecast(several.assign_coords({name: ["a", "b"]}))
    assert result["temperature"].dims[:3] == ("time", "number", "prediction_timedelta")
    assert result["number"].values.tolist() == [0, 1]


def test_one_start_one_lead_and_valid_times_are_forecasts_too():
    one = forecast().isel(time=0)
    assert canonical_forecast(one).sizes["time"] == 1
    at_lead = forecast().isel(prediction_timedelta=2)
    result = canonical_forecast(at_lead)
    assert result.sizes["prediction_timedelta"] == 1
    np.testing.assert_array_equal(result["time"], STARTS)
    dated = one.drop_vars("time").rename(prediction_timedelta="time")
    dated = dated.assign_coords(time=STARTS[0] + LEADS, forecast_reference_time=STARTS[0])
    result = canonical_forecast(dated)
    np.testing.assert_array_equal(result["prediction_timedelta"], LEADS)
    np.testing.assert_allclose(result["temperature"], forecast()["temperature"][[0]])
    period = ("time", [6, 12, 24], {"units": "hours"})
    without_start = dated.drop_vars("forecast_reference_time").assign_coords(forecast_period=period)
    np.testing.assert_array_equal(canonical_forecast(without_start)["time"], STARTS[:1])


def test_analyses_read_from_one_lead_time_stand_at_their_valid_times():
    result = canonical(forecast().isel(prediction_timedelta=2))
    np.testing.assert_array_equal(result["time"], STARTS + LEADS[2])


def test_one_level_as_a_scalar_is_that_level():
    result = canonical_forecast(forecast()[["temperature"]].sel(level=500))
    assert result["level"].values.tolist() == [500]
    dropped = canonical_forecast(forecast().sel(level=500).drop_vars("level"))
    assert "temperature" not in dropped
    assert "its level is not stated" in remarks(dropped)[0]


def test_units_that_are_not_stated_are_the_catalogue_s_and_said():
    silent = forecast().drop_attrs()
    result = canonical_forecast(silent)
    assert result["temperature"].attrs["units"] == "K"
    (remark,) = remarks(result)
    assert remark == (
        "no unit is stated, and the catalogue's is assumed: temperature in K, 2m_temperature in K"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda d: d.isel(prediction_timedelta=0, drop=True),
            "'time' may be init time or valid time; say which",
        ),
        (
            lambda d: d.assign_coords(time=("time", STARTS, {"long_name": "valid time"})),
            "'time' beside 'prediction_timedelta' calls itself 'valid time'",
        ),
        (
            lambda d: d.assign_coords(init_time=("time", STARTS - HOUR)),
            "nothing says from which the lead times count",
        ),
        (
            lambda d: in_hours(d).isel(prediction_timedelta=0),
            "lead times must say their unit, and 'prediction_timedelta' holds 6 without one",
        ),
        (
            lambda d: d.assign_coords(prediction_timedelta=[1, 2, 3]),
            "holds 1, 2, 3 without one (hours, days or a count of steps?)",
        ),
        (
            lambda d: d.assign_coords(
                prediction_timedelta=("prediction_timedelta", [6, 12, 24], {"units": "parsec"})
            ),
            "lead times are hours, days, minutes or seconds, and 'prediction_timedelta' is in",
        ),
        (
            lambda d: d.assign_coords(prediction_timedelta=["6h", "12h", "24h"]),
            "lead times are durations",
        ),
        (
            lambda d: d.assign_coords(prediction_timedelta=[np.nan, 12.0, 24.0]),
            "every lead time must be known, and 1 of 3",
        ),
        (
            lambda d: d.assign_coords(
                prediction_timedelta=[np.timedelta64("NaT", "ns"), *LEADS[1:]]
            ),
            "every lead time must be known, and 1 of 3",
        ),
        (
            lambda d: d.assign_coords(time=STARTS[[0, 0]]),
            "a forecast's init times must differ from one another, and 2020-02-28T00 comes more",
        ),
        (
            lambda d: d.assign_coords(prediction_timedelta=LEADS[[0, 1, 1]]),
            "a forecast's lead times must differ from one another, and 12 h comes more",
        ),
        (lambda d: d.isel(time=0, drop=True), "need a start time; add a coordinate 'time'"),
        (lambda d: d.assign_coords(time=[1, 2]), "that do not say since when they count"),
    ],
)
def test_what_is_ambiguous_is_refused_with_its_reason(change, words):
    with pytest.raises(ValueError) as caught:
        canonical_forecast(change(forecast()))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_climatology_comes_back_in_the_catalogue_s_units():
    days = xr.concat([ours()[VARIABLES].isel(time=0, drop=True)] * 366, "doy", data_vars="all")
    disguised = in_celsius(days).isel(latitude=slice(None, None, -1))
    result = canonical_climatology(disguised.assign_coords(doy=np.arange(1, 367)))
    assert result["temperature"].dims == ("dayofyear", "level", "latitude", "longitude")
    expected = ours()["temperature"].isel(time=0)
    np.testing.assert_allclose(result["temperature"].sel(dayofyear=60), expected, rtol=1e-6)
    assert result["temperature"].attrs["units"] == "K"
