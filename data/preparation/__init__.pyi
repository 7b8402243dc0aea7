from .recipe import Recipe as Recipe
from .run import Prepared as Prepared
from .run import prepare as prepare
