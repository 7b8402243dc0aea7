"""How a forecast is scored, and how scores record it."""

from collections.abc import Mapping
from dataclasses import dataclass

from verification.metric import Metric
from verification.regions import HEADLINE_REGIONS

TITLE = "Scores of a weather forecast"


@dataclass(frozen=True)
class Protocol:
    """The regions to score, and names of forecast, truth and climatology for the record."""

    regions: tuple[str, ...] = HEADLINE_REGIONS
    forecast: str = "not named"
    truth: str = "not named"
    climatology: str = "none"


def in_words(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """How points are weighted, metrics computed and missing values treated, as attributes."""
    return {
        "weights": "exact area of each latitude row on the sphere, shared evenly by its points",
        **{name: text for name, metric in metrics.items() if (text := metric.description)},
        "missing_values": "refused, never skipped",
    }
