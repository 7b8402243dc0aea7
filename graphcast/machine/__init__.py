"""The devices that a run uses and the memory that it needs, in reading order.

`memory`: the bytes that a device still has. `needs`: the bytes that a step or an update takes.
`plan`: the fastest way to cut the work that fits. `devices`: windows spread over devices, one
window split over several. `hosts`: several processes at one computation. `machine`: `Machine`,
which brings these together for a forecast.
"""

from graphcast.machine.machine import Machine
from graphcast.machine.plan import Economy, Plan, fitting, fitting_update

__all__ = ["Economy", "Machine", "Plan", "fitting", "fitting_update"]
