"""Physical constants, each with its unit and its source.

The atmosphere's constants are those of ECMWF's Integrated Forecasting System, which made ERA5: IFS
Documentation CY41R2, Part IV: Physical Processes (2016). A room whose model has a constant of its
own, as the simulated planet has, names it beside that model.
"""

STANDARD_GRAVITY = 9.80665  # m s-2; geopotential over geopotential height (WMO-No. 49, CGPM 1901)
DRY_AIR_GAS_CONSTANT = 287.0597  # J kg-1 K-1; IFS
WATER_VAPOUR_GAS_CONSTANT = 461.5250  # J kg-1 K-1; IFS
STANDARD_LAPSE_RATE = 6.5e-3  # K m-1; ICAO standard atmosphere below 11 km
EARTH_RADIUS = 6.371229e6  # m; IFS, the sphere that ERA5's fields are on
EARTH_ROTATION = 7.292115e-5  # s-1; WGS 84
