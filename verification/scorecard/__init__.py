"""Scores for people: one self-contained HTML page, and figures.

`report_html` makes the page: `report` chooses its numbers and words, `templates/` holds its layout,
`curves` draws its pictures. `forecast_figure` in `figures` draws one forecast beside the truth, and
its error by lead time. `labels` writes variables, units and lead times for people; `selection`
chooses what is shown first.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
