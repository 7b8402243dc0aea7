"""The forecast store: `header` (what it says of itself), `layout` (its arrays), `store`."""
