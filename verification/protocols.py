"""Protocols: how forecasts are scored, as frozen descriptions, and in words for the record.

paper   GraphCast (Lam et al. 2023, section 5)
wb2     WeatherBench 2 (Rasp et al. 2024)
wmo     WMO's exchange of deterministic scores (GDPFS manual, appendix 2.2.34)
own     everything that forecast and truth share; every choice is a flag
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from data.wording import listed
from verification.averaging import RowWeights
from verification.metric import HEADLINE_METRICS, Metric
from verification.regions import HEADLINE_REGIONS

TITLE = "Scores of a weather forecast"
HOUR = np.timedelta64(1, "h")

_PAPER_LEVELS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000)
_PAPER_SURFACE = (
    *("2m_temperature", "mean_sea_level_pressure"),
    *("10m_u_component_of_wind", "10m_v_component_of_wind"),
)
_PAPER_UPPER = (
    *("geopotential", "temperature", "specific_humidity"),
    *("u_component_of_wind", "v_component_of_wind"),
)
_PAPER_REGIONS = (
    *("global", "n.hem", "s.hem", "tropics", "europe", "n.atl", "n.amer", "n.pac", "e.asia"),
    *("austnz", "arctic", "antarctic", "n.africa", "s.africa", "s.amer", "w.asia", "se.asia"),
)
_WEATHERBENCH_REGIONS = (
    *("global", "tropics", "extra-tropics", "n.hem", "s.hem", "europe", "n.amer", "n.atl"),
    *("n.pac", "e.asia", "austnz", "arctic", "antarctic"),
)
_WMO_REGIONS = (
    *("wmo.nh", "wmo.sh", "wmo.tropics", "wmo.n.america", "wmo.europe", "wmo.asia"),
    *("wmo.australia", "wmo.n.polar", "wmo.s.polar"),
)


@dataclass(frozen=True)
class Protocol:
    """How forecasts are scored, and names of forecast, truth and climatology for the record.

    Attributes:
        regions: names that `regions.region_named` knows.
        forecast: where the forecast is.
        truth: where the truth is.
        climatology: where the climatology is.
        name: of the protocol.
        about: what it is, one sentence.
        metrics: names in `metric.METRICS`.
        rows: how a row of the grid counts.
        variables: the variables that are scored; all where None.
        levels: the levels (hPa) that are scored; all where None.
        init_hours: hours of the day of init times that count; all where None.
        lead_step: lead times are multiples of it, in hours; all where None.
        longest: longest lead time, in hours.
        resolution: of the grid that it asks for, in degrees; any where None.
        shifted_pairs: whether a reference without the init time is replaced by the mean of its
            scores from 6 h earlier and 6 h later.
    """

    regions: tuple[str, ...] = HEADLINE_REGIONS
    forecast: str = "not named"
    truth: str = "not named"
    climatology: str = "none"
    name: str = "own"
    about: str = "everything that forecast and truth share"
    metrics: tuple[str, ...] = HEADLINE_METRICS
    rows: RowWeights = "area"
    variables: tuple[str, ...] | None = None
    levels: tuple[int | float, ...] | None = None
    init_hours: tuple[int, ...] | None = None
    lead_step: int | None = None
    longest: int | None = None
    resolution: float | None = None
    shifted_pairs: bool = False

    def select(self, forecast: xr.Dataset, *, reference: bool = False) -> xr.Dataset:
        """The part of a forecast that is scored; a shifted reference keeps all its init times.

        Raises:
            ValueError: nothing is left.
        """
        if not {"time", "prediction_timedelta"} <= set(forecast.dims):
            return forecast  # `align` refuses it in its own words
        hours = forecast["time"].dt.hour.values
        leads = forecast["prediction_timedelta"].values / HOUR
        inits, chosen = np.ones(hours.shape, bool), np.ones(leads.shape, bool)
        if self.init_hours is not None and not (reference and self.shifted_pairs):
            inits &= np.isin(hours, self.init_hours)
        if self.lead_step is not None:
            chosen &= (leads > 0) & (leads % self.lead_step == 0)
        if self.longest is not None:
            chosen &= leads <= self.longest
        if not (inits.any() and chosen.any()):
            raise ValueError(
                f"the protocol {self.name} scores {self._times}, and the forecast has init times"
                f" at {listed(sorted(set(hours)))} UTC and lead times of"
                f" {listed(leads.tolist())} h; choose `protocol` own"
            )
        part = forecast.isel(time=inits, prediction_timedelta=chosen)
        if self.levels is not None and "level" in part.dims:
            part = part.sel(level=[level for level in part["level"].values if level in self.levels])
        if self.variables is None:
            return part
        return part[[name for name in part.data_vars if name in self.variables]]

    @property
    def _times(self) -> str:
        hours = "" if self.init_hours is None else f" at {listed(self.init_hours)} UTC"
        step = "" if self.lead_step is None else f" every {self.lead_step} h"
        longest = "" if self.longest is None else f" up to {self.longest} h"
        return f"initial times{hours or ', all'}; lead times{step + longest or ', all'}"

    def in_words(self, metrics: Mapping[str, Metric]) -> dict[str, str]:
        """How points are weighted, metrics computed and missing values treated, as attributes."""
        area = "exact area of each latitude row on the sphere, shared evenly by its points"
        weights = area if self.rows == "area" else "cosine of latitude"
        return {
            "protocol": f"{self.name}: {self.about}",
            "times": self._times,
            "weights": weights,
            **{name: text for name, metric in metrics.items() if (text := metric.description)},
        }


PROTOCOLS: dict[str, Protocol] = {
    "own": Protocol(),
    "paper": Protocol(
        _PAPER_REGIONS,
        name="paper",
        about="GraphCast (Lam et al. 2023): init times at 06 and 18 UTC, lead times every 12 h to "
        "10 days, 69 variables and levels, RMSE with the root at each init time, ACC not centred",
        metrics=("rmse", "acc", "bias"),
        variables=(*_PAPER_SURFACE, *_PAPER_UPPER),
        levels=_PAPER_LEVELS,
        init_hours=(6, 18),
        lead_step=12,
        longest=240,
        shifted_pairs=True,
    ),
    "wb2": Protocol(
        _WEATHERBENCH_REGIONS,
        name="wb2",
        about="WeatherBench 2 (Rasp et al. 2024): init times at 00 and 12 UTC, RMSE with the root "
        "over all init times, ACC not centred, wind as a vector",
        metrics=("rmse_wb2", "mse", "mae", "bias", "acc", "wind_vector_rmse"),
        init_hours=(0, 12),
    ),
    "wmo": Protocol(
        _WMO_REGIONS,
        name="wmo",
        about="WMO Lead Centre for Deterministic Forecast Verification: 1.5 degree grid, its "
        "domains, rows by the cosine of latitude, ACC centred, wind as a vector, S1 of sea-level "
        "pressure; the scores of every day are kept",
        metrics=(
            *("bias", "rmse_wb2", "mae", "acc_centred", "activity", "activity_truth"),
            *("wind_vector_rmse", "s1"),
        ),
        rows="cosine",
        init_hours=(0, 12),
        lead_step=12,
        longest=240,
        resolution=1.5,
    ),
}


def protocol_named(name: str) -> Protocol:
    """A protocol by its name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"`protocol` is one of {', '.join(PROTOCOLS)}, and not {name!r}")
    return PROTOCOLS[name]
