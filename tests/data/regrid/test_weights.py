"""The weights of each method, against laws and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.regrid.weights import weights
from mesh.grid import LatLonGrid
from tests.data.regrid.small_grids import (
    GRIDS,
    PAIRS,
    WEIGHTED,
    areas,
    field,
    matrices,
    on,
    random_field,
)


@pytest.mark.parametrize("method", WEIGHTED)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_weights_are_never_negative_and_sum_to_one(one, other, method):
    for matrix in matrices(one, other, method)[:2]:
        assert matrix.data.min() > 0  # zeros are not stored
        # atol 1e-12: float64 rounding of at most a few dozen weights
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("method", WEIGHTED)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_constant_stays_constant(one, other, method):
    flat = field(GRIDS[one], np.full(GRIDS[one].shape, 287.65))
    # exact but for the last bit of float32
    np.testing.assert_allclose(on(flat, GRIDS[other], method), np.float32(287.65), rtol=1e-7)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_conservative_keeps_the_global_mean(one, other):
    source = field(GRIDS[one], random_field(GRIDS[one]))
    before = (source["2m_temperature"].values.astype(np.float64) * areas(GRIDS[one])).sum()
    after = (on(source, GRIDS[other], "conservative") * areas(GRIDS[other])).sum()
    assert after == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize(("one", "other"), [("10", "N8"), ("N8", "4"), ("shifted", "10")])
def test_conservative_is_the_mean_over_a_fine_raster(one, other):
    """Brute force: both grids painted on a raster of equal-area points, then averaged."""
    source, target = GRIDS[one], GRIDS[other]
    values = random_field(source)
    n = 20_000
    sines = (np.arange(n) + 0.5) / n * 2 - 1
    turns = (np.arange(n) + 0.5) / n * 360
    from_row, to_row = (rows_at(g, sines) for g in (source, target))
    from_column, to_column = (columns_at(g, turns) for g in (source, target))
    rows = histogram(to_row, from_row, target.shape[0], source.shape[0])
    columns = histogram(to_column, from_column, target.shape[1], source.shape[1])
    expected = rows @ values @ columns.T
    # A row of the raster is 1/20000 of the sphere's height; the smallest row here, at the pole of
    # the 4° grid, has sin height 6e-4, so a weight is off by up to 1/6 there, 1e-3 elsewhere.
    inner = slice(1, -1)
    result = on(field(source, values), target, "conservative")
    np.testing.assert_allclose(result[inner], expected[inner], atol=0.15)
    np.testing.assert_allclose(result, expected, atol=3)


def rows_at(grid, sines):
    middle = bounds(grid.latitude)[1:-1]
    return np.searchsorted(np.sin(np.deg2rad(middle)), sines)


def columns_at(grid, turns):
    step = 360 / grid.shape[1]
    return np.floor((turns - grid.longitude[0] + step / 2) / step).astype(int) % grid.shape[1]


def histogram(to, source, rows, columns):
    counts = np.zeros((rows, columns))
    np.add.at(counts, (to, source), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def test_conservative_weights_are_overlaps_of_cells_written_out():
    for one, other in PAIRS:
        source, target = GRIDS[one], GRIDS[other]
        result = matrices(one, other, "conservative")
        edges, to_edges = (bounds(g.latitude) for g in (source, target))
        for i in (0, 1, target.shape[0] // 2, target.shape[0] - 1):
            low, high = to_edges[i], to_edges[i + 1]
            expected = [
                max(0.0, sine(min(edges[j + 1], high)) - sine(max(edges[j], low)))
                if min(edges[j + 1], high) > max(edges[j], low)
                else 0.0
                for j in range(source.shape[0])
            ] / (sine(high) - sine(low))
            # atol 1e-12: the differences of sines near 1 have lost four digits
            np.testing.assert_allclose(result.rows.toarray()[i], expected, atol=1e-12)


def sine(degrees):
    return np.sin(np.deg2rad(degrees))


def bounds(latitude):
    return [-90, *((a + b) / 2 for a, b in zip(latitude[1:], latitude[:-1], strict=True)), 90]


@settings(deadline=None, max_examples=30)
@given(st.floats(-89.9, 89.9), st.floats(0, 360, exclude_max=True), st.integers(0, 5))
def test_bilinear_is_the_formula_of_four_points(latitude, longitude, seed):
    source = GRIDS["10"]
    values = random_field(source, seed)
    i = min(int((latitude + 90) // 10), 17)
    j = int(longitude // 10) % 36  # 359.9999999999999 // 10 may be 36
    y, x = (latitude - source.latitude[i]) / 10, longitude / 10 - j
    corners = values[i : i + 2][:, [j, (j + 1) % 36]]
    expected = np.array([1 - y, y]) @ corners @ np.array([1 - x, x])
    target = LatLonGrid((-90.0, latitude, 90.0), (longitude, longitude + 180))
    result = weights("bilinear", source, target)
    # atol 1e-9: float64
    got = (result.rows @ values @ result.columns.T)[1, 0]
    assert got == pytest.approx(expected, abs=1e-9)


def test_bilinear_is_exact_for_what_is_linear_and_goes_on_across_greenwich():
    source, target = GRIDS["10"], GRIDS["4"]
    φ = np.broadcast_to(source.axes()[0][:, None], source.shape)
    # float32 of numbers up to 90: 4e-6
    np.testing.assert_allclose(
        on(field(source, φ), target, "bilinear"),
        np.broadcast_to(target.axes()[0][:, None], target.shape),
        atol=1e-5,
    )
    near = np.zeros(source.shape)
    near[:, 0] = 10.0  # Greenwich; 356° is four tenths of the way from 0 to 350
    result = on(field(source, near), target, "bilinear")
    assert result[20, -1] == pytest.approx(6.0)
    assert result[20, 1] == pytest.approx(6.0)


def test_nearest_is_the_nearest_of_all_points_by_brute_force():
    source, target = GRIDS["10"], GRIDS["N8"]
    values = np.arange(source.size).reshape(source.shape)
    φs, λs = source.axes()
    result = on(field(source, values), target, "nearest")
    for i, φ in enumerate(target.latitude):
        for j, λ in enumerate(target.longitude):
            row, column = divmod(int(result[i, j]), source.shape[1])
            turn = np.abs((λs - λ + 180) % 360 - 180)
            assert abs(φs[row] - φ) == np.abs(φs - φ).min()
            assert turn[column] == turn.min()
