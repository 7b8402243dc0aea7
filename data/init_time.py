"""The initial times that a Dataset has for forecasts."""

import numpy as np
import xarray as xr

from data.task import INPUT_FRAMES
from data.wording import hour, hours, listed


def possible_times(dataset: xr.Dataset, step: np.timedelta64) -> np.ndarray:
    """The times of a canonical Dataset that a forecast can start at, datetime64[ns]."""
    if "time" not in dataset.coords or not dataset["time"].ndim:
        return np.array([], "datetime64[ns]")
    times = dataset["time"].values.astype("datetime64[ns]")
    possible: np.ndarray = times[np.isin(times - step, times)]
    return possible


def initial_time(
    dataset: xr.Dataset, step: np.timedelta64, asked: np.datetime64 | None = None
) -> np.datetime64:
    """The time that a forecast from a canonical Dataset starts at.

    Args:
        dataset: the analyses; a forecast from `t` needs those at `t - step` and `t`.
        step: the time between a model's two input frames (`Task.step`).
        asked: the time asked for. Without it the Dataset must hold exactly two times, and the later
            one is taken.

    Returns:
        The time as datetime64[ns].

    Raises:
        ValueError: a frame is missing; the sentence names the times that could be asked for.
    """
    rule = f"a forecast starts from two frames {hours(step):g} h apart"
    if "time" not in dataset.coords or not dataset["time"].ndim:
        raise ValueError(f"{rule}, and the file gives no times; give one with a time axis")
    times = dataset["time"].values.astype("datetime64[ns]")
    if times.size < INPUT_FRAMES:
        came = "no time"
        if times.size:
            came = f"one time, {hour(times[0])}: add {hour(times[0] - step)} or "
            came += hour(times[0] + step)
        raise ValueError(f"{rule}, and the file holds {came}")
    possible = possible_times(dataset, step)
    if not possible.size:
        gaps = sorted({hours(gap) for gap in np.diff(times)})
        raise ValueError(
            f"{rule}, and the times of the file ({listed(map(hour, times))}) are"
            f" {listed(gaps).replace(', ', ' or ')} h apart; give a {hours(step):g}-hourly series"
        )
    if asked is None:
        if times.size == INPUT_FRAMES:
            last: np.datetime64 = times[-1]
            return last
        raise ValueError(
            f"{rule}, and the file holds {times.size} times; name one of these as the initial time"
            f" (`init_time`): {listed(map(hour, possible))}"
        )
    init: np.datetime64 = asked.astype("datetime64[ns]")
    if init in possible:
        return init
    missing = init if init not in times else init - step
    raise ValueError(
        f"{rule}, and for a forecast from {hour(init)} the file has no {hour(missing)}; it can"
        f" start from {listed(map(hour, possible))}"
    )
