from data.doctor import examine_file as examine_file
from data.maps.pictures import plot as plot
from data.preparation import prepare as prepare
from data.sources import open_inputs as open_inputs
from verification import score as score
from verification.files import open_forecast as open_forecast
from verification.files import score_files as score_files
from verification.writing import write_scores as write_scores

from .checkpoints import read_checkpoint as read_checkpoint
from .checkpoints import write_checkpoint as write_checkpoint
from .forecaster import Forecaster as Forecaster
from .forecaster import PlacedForecaster as PlacedForecaster
from .machine import Machine as Machine
from .operations import forecast as forecast
from .operations import plan as plan
from .training import train as train
from .training.untrained import untrained as untrained

__version__: str
