from .model import GraphCast as GraphCast
from .model import ModelSpec as ModelSpec
from .model import embed_geometry as embed_geometry
from .model import model_template as model_template
from .model import parameter_count as parameter_count
from .model import random_model as random_model
