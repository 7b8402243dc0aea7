"""Statistics by total wavenumber, of the whole globe."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from verification import spectra
from verification.sample import Sample
from verification.statistic.contract import Bins
from verification.statistic.pointwise import PointwiseStatistic


@dataclass(frozen=True)
class Power(PointwiseStatistic):
    """Power by total wavenumber of the forecast, the truth, the error, or of both together.

    Of both together it is Σₘ Re(fₗₘ* oₗₘ) / 4π. See `verification.spectra` for the normalisation.
    """

    of: Literal["forecast", "truth", "error", "both"]

    @property
    def whole_globe(self) -> bool:
        """A spectrum has no regions."""
        return True

    def bins(self, sample: Sample) -> Bins:
        """The wavenumbers that the grid resolves."""
        return {"wavenumber": tuple(range(spectra.largest_wavenumber(sample.grid) + 1))}

    def field(self, sample: Sample) -> np.ndarray:
        """(wavenumber, [level])."""
        forecast, truth = sample.forecast[self.variable], sample.truth[self.variable]
        if self.of == "both":
            # |f + o|² - |f - o|² = 4 Re(f* o)
            plus, minus = (
                self._power(field, sample) for field in (forecast + truth, forecast - truth)
            )
            return np.asarray((plus - minus) / 4)
        fields = {"forecast": forecast, "truth": truth, "error": sample.error(self.variable)}
        return self._power(fields[self.of], sample)

    def _power(self, field: np.ndarray, sample: Sample) -> np.ndarray:
        return np.moveaxis(spectra.power(field, sample.grid), -1, 0)
