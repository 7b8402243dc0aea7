from .contract import Statistic as Statistic
from .members import MEMBERS as MEMBERS
from .members import Each as Each
from .pointwise import AbsoluteError as AbsoluteError
from .pointwise import AnomalyProduct as AnomalyProduct
from .pointwise import Error as Error
from .pointwise import SquaredError as SquaredError
