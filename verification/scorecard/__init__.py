"""Scores for people: one self-contained HTML page, and figures.

`report_html` makes the page: `report` chooses its numbers and words and `templates/` holds its
layout. `tabulated` turns the scores of one forecast into the flat table that it reads. `cells` are
the cells of a scorecard as numbers, `dots` draws them, `lines` draws curves by lead time.
`forecast_figure` in `figures` draws one forecast beside the truth, and its error by lead time.
`selection` chooses what is shown first on a screen.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
