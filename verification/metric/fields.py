"""Metrics of fields beyond errors at points: S1, FSS, spectra, effective resolution, blurring."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr

from verification.metric.contract import Best, MeanOfStatistic, Metric, Units
from verification.statistic import (
    FractionProduct,
    GradientError,
    LargerGradient,
    Power,
    Statistic,
)

RESOLVED = 0.5  # share of the truth's power down to which a wavenumber counts as resolved


@dataclass(frozen=True)
class S1(Metric):
    """100 ⟨|∂x e| + |∂y e|⟩ / ⟨max(|∂x f|, |∂x o|) + max(|∂y f|, |∂y o|)⟩, of each init time."""

    variable: str
    units: Units = field(default="1", init=False)
    best: Best = field(default="low", init=False)
    description: str = field(
        default="100 times the mean error of gradients over the mean of the larger gradient "
        "(WMO; Teweles & Wobus 1954), centred differences, mean over initial times",
        init=False,
    )

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Numerator and denominator."""
        return (GradientError(self.variable), LargerGradient(self.variable))

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """S1."""
        error, larger = (means[s] for s in self.statistics)
        return 100 * error / larger.where(larger > 0)


@dataclass(frozen=True)
class FractionsSkill(Metric):
    """1 - ⟨(P_f - P_o)²⟩ / (⟨P_f²⟩ + ⟨P_o²⟩), P the share of points nearby above a threshold."""

    variable: str
    thresholds: tuple[int | float, ...]
    size: int = 5
    units: Units = field(default="1", init=False)
    best: Best = field(default="one", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The squares of the difference and of the two fractions."""
        return tuple(
            FractionProduct(self.variable, self.thresholds, self.size, of)
            for of in ("difference", "forecast", "truth")
        )

    @property
    def pooled(self) -> bool:
        """Sums over all init times are divided."""
        return True

    @property
    def description(self) -> str:
        """The neighbourhood."""
        return (
            f"fractions skill score (Roberts & Lean 2008) over {self.size} by {self.size} points, "
            "of sums over all initial times"
        )

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """FSS; NaN where no point exceeds the threshold."""
        difference, forecast, truth = (means[s] for s in self.statistics)
        worst = forecast + truth
        return 1 - difference / worst.where(worst > 0)


@dataclass(frozen=True)
class Spectrum(Metric):
    """Mean power by total wavenumber of the forecast, the truth or the error."""

    variable: str
    of: Literal["forecast", "truth", "error"]
    units: Units = field(default="squared", init=False)
    best: Best = field(default="zero", init=False)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The power."""
        return (Power(self.variable, self.of),)

    @property
    def description(self) -> str:
        """The normalisation."""
        return (
            f"power of the {self.of} by total wavenumber, mean over initial times; its sum is the "
            "area mean of the square"
        )

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The power itself."""
        return means[self.statistics[0]]


@dataclass(frozen=True)
class EffectiveResolution(Metric):
    """The wavenumber up to which the forecast has at least half the power of the truth."""

    variable: str
    units: Units = field(default="1", init=False)
    best: Best = field(default="high", init=False)
    description: str = field(
        default="largest total wavenumber up to which the forecast's power, mean over initial "
        "times, is at least half of the truth's",
        init=False,
    )

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Both spectra."""
        return (Power(self.variable, "forecast"), Power(self.variable, "truth"))

    @property
    def pooled(self) -> bool:
        """Of mean spectra."""
        return True

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The wavenumber."""
        forecast, truth = (means[s] for s in self.statistics)
        enough = (forecast >= RESOLVED * truth).isel(wavenumber=slice(1, None))
        known = (forecast + truth).isel(wavenumber=0)  # NaN in other regions than the globe
        return enough.cumprod("wavenumber").sum("wavenumber").astype(np.float64) + 0 * known


@dataclass(frozen=True)
class OptimallyBlurredRmse(Metric):
    """RMSE after each wavenumber of the forecast is scaled so that the error is smallest.

    The factor of wavenumber l is C_l / F_l, which leaves O_l - C_l² / F_l of the mean square, where
    F, O and C are the mean powers of forecast, truth and both (GraphCast, section 7.5.3, fits
    factors on another year; here they are fitted on the init times that are scored).
    """

    variable: str
    units: Units = field(default="field", init=False)
    best: Best = field(default="low", init=False)
    description: str = field(
        default="root of the mean square over all initial times after optimal blurring, fitted on "
        "the initial times that are scored",
        init=False,
    )

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The three spectra."""
        return tuple(Power(self.variable, of) for of in ("forecast", "truth", "both"))

    @property
    def pooled(self) -> bool:
        """Factors are fitted on means."""
        return True

    def value(self, means: MeanOfStatistic) -> xr.DataArray:
        """The RMSE."""
        forecast, truth, both = (means[s] for s in self.statistics)
        left = truth - (both**2 / forecast.where(forecast > 0)).fillna(0.0)
        return left.clip(min=0.0).sum("wavenumber", skipna=False) ** 0.5
