"""Specific humidity from relative humidity."""

import numpy as np
import pytest
import xarray as xr

from data.canonical.humidity import (
    ALL_ICE,
    TRIPLE_POINT,
    saturation_vapour_pressure,
    specific_humidity,
)
from data.constants import DRY_AIR_GAS_CONSTANT, WATER_VAPOUR_GAS_CONSTANT
from tests.reference import real


def array(*values: float) -> xr.DataArray:
    return xr.DataArray(np.array(values, dtype=np.float64), dims="level")


def test_saturation_at_the_triple_point_is_its_pressure():
    assert saturation_vapour_pressure(array(TRIPLE_POINT)).item() == pytest.approx(611.21)


def test_saturation_agrees_with_tables():
    # Smithsonian tables: over water at 20 °C 23.37 hPa and at 30 °C 42.43 hPa; over ice at -40 °C
    # 12.83 Pa and at -60 °C 1.08 Pa. 1 %: Tetens' formula is fitted, not exact.
    tables = {293.15: 2337.0, 303.15: 4243.0, 233.15: 12.83, 213.15: 1.080}
    e = saturation_vapour_pressure(array(*tables))
    np.testing.assert_allclose(e, list(tables.values()), rtol=0.01)


def test_saturation_rises_with_temperature_through_both_ends_of_the_mixed_phase():
    t = np.linspace(160, 330, 20001)
    e = saturation_vapour_pressure(xr.DataArray(t, dims="level")).values
    assert (np.diff(e) > 0).all()
    # no jump: steps of 8.5 mK, in which e grows by at most 0.24 per K
    assert np.diff(np.log(e)).max() < 2.1e-3


def test_mixed_phase_lies_between_ice_and_water():
    t = array(255.0, 262.0, 270.0)
    e = saturation_vapour_pressure(t).values
    ice = 611.21 * np.exp(22.587 * (t - 273.16) / (t + 0.7))
    water = 611.21 * np.exp(17.502 * (t - 273.16) / (t - 32.19))
    assert (ice < e).all()
    assert (e < water).all()
    alpha = ((262.0 - ALL_ICE) / (TRIPLE_POINT - ALL_ICE)) ** 2
    assert e[1] == pytest.approx(alpha * water.values[1] + (1 - alpha) * ice.values[1])


def test_relative_humidity_comes_back_from_specific_humidity():
    r, t, p = (
        array(0.0, 30.0, 70.0, 111.0),
        array(220.0, 260.0, 280.0, 300.0),
        array(300, 500, 850, 1000),
    )
    q = specific_humidity(r, t, p).astype(np.float64)
    epsilon = DRY_AIR_GAS_CONSTANT / WATER_VAPOUR_GAS_CONSTANT
    e = q * 100 * p / (epsilon + (1 - epsilon) * q)
    np.testing.assert_allclose(100 * e / saturation_vapour_pressure(t), r, rtol=1e-6)


def test_only_negative_humidity_is_clipped():
    t, p = array(280.0, 280.0, 280.0), array(850, 850, 850)
    q = specific_humidity(array(-3.0, 100.0, 111.0), t, p).values
    assert q[0] == 0
    assert q[2] > q[1] > 0


def test_gaps_stay_gaps_and_thin_air_stays_air():
    q = specific_humidity(array(np.nan, 100.0), array(280.0, 280.0), array(850, 1)).values
    assert np.isnan(q[0])
    assert 0 <= q[1] <= 1


def test_lazy_in_lazy_out():
    r = array(50.0).chunk()
    q = specific_humidity(r, array(280.0).chunk(), array(850))
    assert q.chunks is not None
    assert q.dtype == np.float32
    assert q.attrs["units"] == "kg kg-1"
    assert "derived" in q.attrs["provenance"]


def test_derived_humidity_agrees_with_an_analysis_that_gives_both():
    """GFS gives q, r and T at 2 m; its saturation is NCEP's, over water where it is warm."""
    path = real("states/gfs_2p5deg_2011100800_f072.grib2")
    from cfgrib import messages  # noqa: PLC0415

    wanted = ("2r", "2t", "2sh", "sp")
    keys = {
        message["shortName"]: np.asarray(message["values"], dtype=np.float64)
        for _, message in messages.FileStream(str(path)).items()
        if message["shortName"] in wanted
    }
    r, t, q, p = (xr.DataArray(keys[name], dims="points") for name in wanted)
    derived = specific_humidity(r, t, p / 100)
    warm = (t > TRIPLE_POINT).values
    error = (derived / q - 1).values[warm]
    # 1 %: r is stored in steps of 0.1 %, and the formulas differ by a few tenths of a percent
    assert np.median(np.abs(error)) < 0.01
