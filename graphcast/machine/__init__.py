"""The devices that a run uses and the memory that it needs, in reading order.

`memory`: the bytes that a device still has. `needs`: the bytes that a step or an update takes.
`plan`: the fastest way to cut the work that fits. `devices`: windows spread over devices, one
window split over several. `hosts`: several processes at one computation. `machine`: `Machine`,
which brings these together for a forecast.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
