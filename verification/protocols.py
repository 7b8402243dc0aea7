"""How a forecast is scored, and how the scores say so."""

from collections.abc import Mapping
from dataclasses import dataclass

from verification.metric import Metric
from verification.regions import HEADLINE_REGIONS

TITLE = "Scores of a weather forecast"


@dataclass(frozen=True)
class Protocol:
    """How to score, and by what names forecast, truth and climatology go in the result."""

    regions: tuple[str, ...] = HEADLINE_REGIONS
    forecast: str = "not named"
    truth: str = "not named"
    climatology: str = "none"


def in_words(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """How points are weighted, how each metric is computed, and what becomes of missing values."""
    return {
        "weights": "exact area of each latitude row on the sphere, shared evenly by its points",
        **{name: text for name, metric in metrics.items() if (text := metric.description)},
        "missing_values": "refused, never skipped",
    }
