from .fields import METHODS as METHODS
from .fields import regrid as regrid
