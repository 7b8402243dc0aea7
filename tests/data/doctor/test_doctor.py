"""The doctor: silent on real data as they are, and each rule speaks on real data broken its way."""

import numpy as np
import pytest
import xarray as xr

from data.doctor import RULES, Finding, examine, examine_frames, exit_code, refuse
from data.doctor.case import Case
from data.doctor.digest import digested
from data.doctor.exact_zeros import zeros
from data.regrid import regrid
from mesh.grid import LatLonGrid
from tests.data.doctor.broken_weather import (
    BROKEN,
    FILES,
    HILLS,
    MSL,
    T2,
    Q,
    T,
    U,
    V,
    Z,
    at_times,
    real,
    rolled,
    scaled,
    spoken,
    with_sunlight,
)


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
