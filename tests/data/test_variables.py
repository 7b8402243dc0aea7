"""Laws of the catalogue."""

import math
import re
from pathlib import Path

import pytest

from data.constants import STANDARD_GRAVITY
from data.plausible_ranges import plausible_mean, plausible_values
from data.standard_atmosphere import standard_geopotential
from data.task import TASKS
from data.variables import (
    VARIABLES,
    check_names,
)

LEVELS = TASKS["graphcast"].levels
# udunits products of powers of the units that ERA5 uses
UNITS = re.compile(r"%|1|((K|Pa|m|s|kg|J|m2|m3)(-?[1-9])?)( (K|Pa|m|s|kg|J)-?[1-9]?)*")

# A typical value and mean of real weather, and the same in units that people mix up with ours.
MIXED_UP = [
    ("temperature", 500, 258.0, -15.0),  # °C
    ("2m_temperature", None, 288.0, 15.0),
    ("2m_dewpoint_temperature", None, 280.0, 7.0),
    ("sea_surface_temperature", None, 290.0, 17.0),
    ("mean_sea_level_pressure", None, 101_100.0, 1011.0),  # hPa
    ("surface_pressure", None, 96_700.0, 967.0),
    ("specific_humidity", 850, 0.006, 6.0),  # g/kg
    ("specific_humidity", 250, 5e-5, 0.05),
    ("specific_humidity", 50, 2.6e-6, 2.6e-3),
    ("land_sea_mask", None, 0.34, 34.0),  # %
    ("sea_ice_cover", None, 0.05, 5.0),
    ("total_cloud_cover", None, 0.6, 60.0),
    ("total_precipitation_6hr", None, 7e-4, 0.7),  # mm
    ("toa_incident_solar_radiation", None, 1.225e6, 340.0),  # W m-2
    ("geopotential_at_surface", None, 3700.0, 377.0),  # m
]


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=lambda v: v.name)
def test_a_row_is_complete(variable):
    assert UNITS.fullmatch(variable.units), variable.units
    low, high = variable.bounds
    assert low < high
    assert not set(variable.aliases) & set(VARIABLES)
    assert variable.attributes["units"] == variable.units
    assert None not in variable.attributes.values()


def test_precipitation_says_that_it_is_a_sum():
    six_hours = VARIABLES["total_precipitation_6hr"].attributes
    assert six_hours["cell_methods"].startswith("time: sum (interval: 1 hour")
    assert six_hours["standard_name"] == "lwe_thickness_of_precipitation_amount"


def test_standard_names_are_in_the_cf_table():
    checker = pytest.importorskip("compliance_checker", reason="it carries the CF table")
    table = (Path(checker.__file__).parent / "data/cf-standard-name-table.xml").read_text()
    known = set(re.findall(r'<entry id="([^"]+)"', table))
    assert {v.standard_name for v in VARIABLES.values() if v.standard_name} <= known


def test_loss_weights_are_deepminds():
    low = {name for name, variable in VARIABLES.items() if variable.loss_weight != 1.0}
    assert low == {
        "10m_u_component_of_wind",
        "10m_v_component_of_wind",
        "mean_sea_level_pressure",
        "total_precipitation_6hr",
    }
    assert {VARIABLES[name].loss_weight for name in low} == {0.1}


@pytest.mark.parametrize(("name", "level", "right", "wrong"), MIXED_UP)
def test_means_in_wrong_units_are_implausible(name, level, right, wrong):
    low, high = plausible_mean(name, level)
    value_low, value_high = plausible_values(name, level)
    assert low <= right <= high
    assert value_low <= right <= value_high
    assert not (low <= wrong <= high and value_low <= wrong <= value_high)


@pytest.mark.parametrize("level", LEVELS)
def test_a_mean_height_is_no_plausible_mean_geopotential(level):
    low, high = plausible_mean("geopotential", level)
    geopotential = standard_geopotential(level)
    assert low < geopotential < high
    # geopotential height in metres and in decametres; real means lie within 35 % of the standard
    for factor in (0.65, 1.0, 1.35):
        assert low < factor * geopotential < high
        assert factor * geopotential / STANDARD_GRAVITY < low
        assert factor * geopotential / (10 * STANDARD_GRAVITY) < low


def test_the_standard_atmosphere_has_its_published_heights():
    # U.S. Standard Atmosphere 1976, geopotential metres at these pressures (hPa)
    published = {1013.25: 0.0, 1000: 110.9, 850: 1457.3, 500: 5574.4, 226.32: 11_000.0}
    published |= {100: 16_179.7, 54.749: 20_000.0, 8.6802: 32_000.0, 1.1091: 47_000.0}
    for level, height in published.items():
        # 0.5 m: the table's pressures have five digits
        assert math.isclose(standard_geopotential(level) / STANDARD_GRAVITY, height, abs_tol=0.5)


def test_geopotential_falls_with_pressure():
    heights = [standard_geopotential(level) for level in LEVELS]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("temprature", "temperature"), ("2t", "2m_temperature"), ("u10", "10m_u_component_of_wind")],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, meant):
    with pytest.raises(ValueError, match=rf"unknown .*'{name}' \(did you mean '{meant}'\?\)"):
        check_names(["temperature", name])


def test_a_name_near_to_none_is_answered_with_all():
    with pytest.raises(ValueError, match=r"'xyzzy'; see the catalogue: .*temperature.*vorticity"):
        check_names(["xyzzy"])
