"""Final ERA5 (expver 1) before preliminary ERA5T (expver 5), and which times are preliminary.

The Climate Data Store once gave both along a dimension `expver`, each missing where the other is;
now it labels each time. The label decides, never the position.
"""

import numpy as np
import xarray as xr

from data.provenance import remarked
from data.wording import hour, listed

FINAL, PRELIMINARY = 1, 5


def final_first(dataset: xr.Dataset) -> xr.Dataset:
    """The Dataset without `expver`: final fields, and preliminary ones where these are missing.

    A remark names the times that are preliminary.

    Args:
        dataset: with absolute times along `time`, if it has times.

    Raises:
        ValueError: there are several streams, and nothing says which is final.
    """
    if "expver" not in dataset.variables and "expver" not in dataset.dims:
        return dataset
    if "expver" in dataset.dims:
        return _joined(dataset)
    labels = _labels(dataset["expver"])
    dataset = dataset.drop_vars("expver")
    if labels.ndim == 0 or "time" not in dataset.dims:
        early = dataset["time"].values if "time" in dataset.dims else np.array([])
        return _remarked(dataset, early if (labels == PRELIMINARY).all() else early[:0])
    # the same time may stand there twice, final and preliminary
    order = np.argsort(labels == PRELIMINARY, kind="stable")
    times, first = np.unique(dataset["time"].values[order], return_index=True)
    chosen = np.sort(order[first])
    twice = np.unique(labels).size > 1 and times.size < labels.size
    if twice:
        dataset, labels = dataset.isel(time=chosen), labels[chosen]
    return _remarked(dataset, dataset["time"].values[labels == PRELIMINARY])


def preliminary_times(dataset: xr.Dataset) -> np.ndarray:
    """The times of a Dataset at which it has preliminary fields only; datetime64[ns]."""
    nothing = np.array([], "datetime64[ns]")
    if "time" not in dataset.dims or "time" not in dataset.coords:
        return nothing
    times = dataset["time"].values.astype("datetime64[ns]")
    if "expver" in dataset.dims:
        if "expver" not in dataset.coords or dataset.sizes["expver"] < 2:
            return nothing
        labels = _labels(dataset["expver"])
        best = min(range(labels.size), key=lambda i: (rank(labels[i]), labels[i]))
        return _lacking(dataset.isel(expver=best, drop=True)).astype("datetime64[ns]")
    if "expver" not in dataset.variables:
        return nothing
    labels = np.broadcast_to(_labels(dataset["expver"]), times.shape)
    early: np.ndarray = np.setdiff1d(times[labels == PRELIMINARY], times[labels == FINAL])
    return early


def rank(label: object) -> int:
    """0 for the final stream, 2 for the preliminary one, 1 for any other."""
    text = str(label).strip()
    return {FINAL: 0, PRELIMINARY: 2}.get(int(text), 1) if text.isdigit() else 1


def _joined(dataset: xr.Dataset) -> xr.Dataset:
    if dataset.sizes["expver"] == 1:
        return final_first(dataset.isel(expver=0))
    if "expver" not in dataset.coords:
        raise ValueError(
            f"the file has {dataset.sizes['expver']} streams along 'expver', which has no"
            " coordinate, so nothing says which is final; add one (1 is ERA5, 5 is ERA5T)"
        )
    labels = _labels(dataset["expver"])
    order = sorted(range(labels.size), key=lambda i: (rank(labels[i]), labels[i]))
    first, *others = (dataset.isel(expver=i, drop=True) for i in order)
    early = _lacking(first)
    for other in others:
        first = first.fillna(other)
    return _remarked(first, early)


def _lacking(final: xr.Dataset) -> np.ndarray:
    """The times at which the final stream has nothing, looked at in one point of one variable."""
    varying = [a for a in final.data_vars.values() if "time" in a.dims and a.dtype.kind == "f"]
    if "time" not in final.dims or not varying:
        return np.array([], "datetime64[ns]")
    # the variable with the fewest values: a surface field, if there is one
    array = min(varying, key=lambda a: a.size)
    point = array.isel({d: 0 for d in array.dims if d != "time"})
    times: np.ndarray = final["time"].values[point.isnull().values]
    return times


def _labels(expver: xr.DataArray) -> np.ndarray:
    """Whole numbers, from 1 as from `0001`."""
    texts = np.asarray(expver.values).astype(str)
    numbers = [int(t) if t.strip().isdigit() else -1 for t in texts.ravel().tolist()]
    return np.array(numbers, np.int64).reshape(texts.shape)


def preliminary_remark(early: np.ndarray, count: int) -> str:
    """Which of `count` times are preliminary, in a sentence; empty where none is."""
    if not early.size:
        return ""
    times = np.sort(early.astype("datetime64[ns]"))
    return (
        f"{times.size} of {count} times are preliminary (ERA5T, expver 5):"
        f" {listed(map(hour, times))}"
    )


def _remarked(dataset: xr.Dataset, early: np.ndarray) -> xr.Dataset:
    return remarked(dataset, preliminary_remark(early, dataset.sizes.get("time", 0)))
