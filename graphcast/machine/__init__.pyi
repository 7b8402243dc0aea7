from .machine import Machine as Machine
from .plan import Economy as Economy
from .plan import Plan as Plan
from .plan import fitting as fitting
from .plan import fitting_update as fitting_update
