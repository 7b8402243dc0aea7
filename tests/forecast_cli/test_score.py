"""`graphcast score`: its files, its messages and its errors."""

from pathlib import Path

import numpy as np
import pytest
import typer
import xarray as xr
from typer.testing import CliRunner

from data.stores import ForecastHeader, ForecastStore
from forecast_cli.score import score

HOUR = np.timedelta64(1, "h")
START = np.datetime64("2024-06-03T00", "ns")
UPPER_AIR = np.array([54_600.0, 14_300.0])[:, np.newaxis, np.newaxis]  # m2 s-2, 500 and 850 hPa
FIELDS = {"geopotential": 500.0, "2m_temperature": None}

app = typer.Typer()
app.command()(score)


def analyses() -> xr.Dataset:
    rng = np.random.default_rng(0)
    latitude, longitude = np.linspace(-90.0, 90.0, 19), np.arange(36) * 10.0
    return xr.Dataset(
        {
            "geopotential": (
                ("time", "level", "latitude", "longitude"),
                (UPPER_AIR + rng.normal(0, 1000, (6, 2, 19, 36))).astype("f4"),
                {"units": "m2 s-2"},
            ),
            "2m_temperature": (
                ("time", "latitude", "longitude"),
                rng.normal(280, 10, (6, 19, 36)).astype("f4"),
                {"units": "K"},
            ),
        },
        {
            "time": START + 6 * HOUR * np.arange(6),
            "level": [500, 850],
            "latitude": latitude,
            "longitude": longitude,
        },
    )


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A forecast of four steps that is half a unit too high, and the truth."""
    truth = analyses()
    truth.to_netcdf(tmp_path / "truth.nc")
    header = ForecastHeader(
        variables=("2m_temperature", "geopotential"),
        init_times=(START,),
        leads=tuple(6 * n * HOUR for n in (1, 2, 3, 4)),
        levels=(500, 850),
        latitude=tuple(truth.latitude.values.tolist()),
        longitude=tuple(truth.longitude.values.tolist()),
        source="GraphCast, weights: a test",
        provenance='{"weights": {"sha256": "0123", "description": "a <test>"}}',
    )
    with ForecastStore.open_or_create(tmp_path / "forecast.zarr", header) as store:
        for lead in range(4):
            at = truth.isel(time=lead + 1)
            store.write(lead, {name: at[name] + 0.5 for name in header.variables})
        store.finish()
    return tmp_path / "forecast.zarr", tmp_path / "truth.nc"


def run(forecast: Path, truth: Path, output: Path, *more: str):
    """Score; forced, because noise is no weather, and the doctor says so."""
    return examined(forecast, truth, output, "--force", *more)


def examined(forecast, truth, output, *more):
    arguments = ["--forecast", forecast, "--truth", truth, "--output", output, *more]
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_scores_and_report_are_written_and_the_next_step_is_shown(files, tmp_path):
    report = tmp_path / "report.html"
    result = run(*files, tmp_path / "scores.zarr", "--report", str(report))
    assert result.exit_code == 0, result.output
    for words in ("z500", "dam", "0.500", "24 h", "scores.zarr", "report.html", "next:"):
        assert words in result.output
    scores = xr.open_zarr(tmp_path / "scores.zarr")
    error = scores.geopotential.sel(metric="rmse", source="forecast")
    np.testing.assert_allclose(error, 0.5, rtol=1e-2)  # float32 next to 55 000
    assert list(scores.region.values) == ["global", "n.hem", "s.hem", "tropics"]
    assert scores.attrs["forecast_source"] == "GraphCast, weights: a test"
    page = report.read_text()
    assert "a &lt;test&gt;" in page
    assert "Bias of geopotential, 500 hPa at 24 h, 1 init time" in page
    assert "http" not in page
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "forecast.zarr", "report.html", "scores.zarr", "truth.nc",
    ]  # fmt: skip


def test_flags_choose_netcdf_regions_and_climatology(files, tmp_path):
    analyses().mean("time").to_netcdf(tmp_path / "mean.nc")
    more = ["--climatology", str(tmp_path / "mean.nc"), "--region", "europe", "--region", "tropics"]
    result = run(*files, tmp_path / "new" / "scores.nc", *more)
    assert result.exit_code == 0, result.output
    with xr.open_dataset(tmp_path / "new" / "scores.nc", decode_timedelta=True) as scores:
        assert list(scores.region.values) == ["europe", "tropics"]
        assert (scores["2m_temperature"].sel(metric="acc", source="forecast") > 0.99).all()


def test_the_same_scores_again_are_left_alone_and_others_are_refused(files, tmp_path):
    output, report = tmp_path / "scores.zarr", tmp_path / "r.html"
    same = (*files, output, "--metrics", "rmse", "--report", str(report))
    assert run(*same).exit_code == 0
    before = {p: p.stat().st_mtime_ns for p in (report, *output.rglob("*"))}
    again = run(*same)
    assert again.exit_code == 0, again.output
    assert "they were there already (--overwrite makes them again)" in again.output
    assert {p: p.stat().st_mtime_ns for p in (report, *output.rglob("*"))} == before
    others = run(*files, output, "--metrics", "mse")
    assert isinstance(others.exception, FileExistsError)
    assert "has other scores of the same forecasts" in str(others.exception)
    others = run(*files, output, "--metrics", "mae")
    assert "scores.zarr is there already" in str(others.exception)
    assert run(*files, output, "--overwrite", "--region", "tropics").exit_code == 0
    assert list(xr.open_zarr(output).region.values) == ["tropics"]


def test_a_truth_may_be_in_several_files(files, tmp_path):
    truth = xr.load_dataset(files[1])
    truth.isel(time=slice(0, 2)).to_netcdf(tmp_path / "early.nc")
    truth.isel(time=slice(2, None)).to_netcdf(tmp_path / "late.nc")
    more = ("--truth", str(tmp_path / "late.nc"), "--metrics", "rmse")
    result = run(files[0], tmp_path / "early.nc", tmp_path / "two.zarr", *more)
    assert result.exit_code == 0, result.output
    assert run(*files, tmp_path / "one.zarr", "--metrics", "rmse").exit_code == 0
    xr.testing.assert_equal(
        xr.open_zarr(tmp_path / "two.zarr").load(), xr.open_zarr(tmp_path / "one.zarr").load()
    )


def test_a_folder_that_holds_no_scores_is_never_replaced(files, tmp_path):
    (tmp_path / "thesis").mkdir()
    result = run(*files, tmp_path / "thesis", "--overwrite")
    assert "is a folder and holds no scores" in str(result.exception)
    result = run(*files, files[0], "--overwrite")
    assert "is read here, so it will not be replaced" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.zarr", "{truth}", "s.zarr"), "there is nothing at"),
        (("{forecast}", "nowhere.nc", "s.zarr"), "there is none at"),
        (("{truth}", "{truth}", "s.zarr"), "may be init time or valid time; say which"),
        (("{forecast}", "{truth}", "{truth}/s.zarr"), "is no folder that can be written"),
        (("{forecast}", "{truth}", "s.zarr", "--region", "evrope"), "did you mean 'europe'"),
    ],
)
def test_wrong_input_is_one_sentence(files, tmp_path, arguments, message):
    places = {"forecast": str(files[0]), "truth": str(files[1])}
    filled = [a.format(**places) for a in arguments]
    paths = [a if a.startswith(("/", "--", "evrope")) else str(tmp_path / a) for a in filled]
    result = run(*paths)
    assert isinstance(result.exception, ValueError | OSError)
    assert message in str(result.exception)
    assert not (tmp_path / "s.zarr").exists()


def test_an_unfinished_forecast_is_named_as_such(files, tmp_path):
    files[0].rename(tmp_path / "other.zarr.partial")
    result = run(tmp_path / "other.zarr", files[1], tmp_path / "s.zarr")
    assert "other.zarr is not complete yet" in str(result.exception)


def test_a_truth_with_relative_times_counts_from_the_init_time(files, tmp_path):
    truth = analyses().expand_dims("batch").rename(latitude="lat", longitude="lon")
    truth.assign_coords(time=truth.time.values - START).to_netcdf(tmp_path / "relative.nc")
    result = run(files[0], tmp_path / "relative.nc", tmp_path / "scores.zarr")
    assert result.exit_code == 0, result.output
    assert run(*files, tmp_path / "same.zarr").exit_code == 0
    relative, dated = (xr.open_zarr(tmp_path / n).load() for n in ("scores.zarr", "same.zarr"))
    xr.testing.assert_equal(relative, dated)


def test_inputs_are_never_replaced(files, tmp_path):
    content = files[1].read_bytes()
    result = run(*files, files[1], "--overwrite")
    assert isinstance(result.exception, FileExistsError)
    assert "is read here, so it will not be replaced" in str(result.exception)
    assert files[1].read_bytes() == content
    result = run(*files, tmp_path / "new", "--report", str(tmp_path / "new"))
    assert "scores and report are two files" in str(result.exception)
    result = run(*files, Path("s3://bucket/scores.zarr"))
    assert "written to a local path" in str(result.exception)
    assert not Path("s3:").exists()


def test_a_truth_in_celsius_is_refused_where_the_forecast_is_in_kelvin(files, tmp_path):
    truth = analyses()
    truth["2m_temperature"] = truth["2m_temperature"] - 273.15  # and no unit to tell
    truth.to_netcdf(tmp_path / "celsius.nc")
    result = examined(files[0], tmp_path / "celsius.nc", tmp_path / "scores.zarr")
    assert isinstance(result.exception, ValueError)
    assert "2m_temperature must be in K" in str(result.exception)
    assert "as if it were in °C" in str(result.exception)


def test_a_damaged_forecast_is_refused_as_damaged(files, tmp_path):
    chunk = files[0] / "2m_temperature" / "c.0.1.0.0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    result = run(*files, tmp_path / "scores.zarr")
    assert isinstance(result.exception, ValueError)
    assert "could not be read" in str(result.exception)
    assert "damaged" in str(result.exception)
    (tmp_path / "text").write_text("hello")
    result = run(tmp_path / "text", files[1], tmp_path / "scores.zarr")
    assert isinstance(result.exception, ValueError)
    assert "must be a GRIB or netCDF file or a Zarr store, and" in str(result.exception)
