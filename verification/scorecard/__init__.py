"""Scores for people: one self-contained HTML page, and figures.

`report_html` makes the page (tables and protocol in `report`, pictures in `curves`);
`forecast_figure` in `figures` draws one forecast beside what came, and its error by lead time;
`labels` is how variables, units and lead times are written; `selection` chooses what is shown
first.
"""

from verification.scorecard.figures import forecast_figure
from verification.scorecard.report import report_html

__all__ = ["forecast_figure", "report_html"]
