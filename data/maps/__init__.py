"""Weather on maps: projections, coastlines, and how each variable is coloured and labelled.

In reading order:

- `labels` and `units`: variables, numbers, places and times as text for people;
- `appearance`: units, colours and contours of a variable;
- `projection`: longitude and latitude on paper;
- `coastlines`: ship with the package, so that nothing is fetched;
- `drawing` (`new_map`, `draw_map`): one field on Matplotlib axes;
- `fields`: a field of a forecast by a name as `z500`;
- `pictures` (`forecast_maps`, `animated`): maps of a forecast, as `graphcast plot` draws them.

Drawing needs Matplotlib; labels do not, and importing this package imports nothing.
"""
