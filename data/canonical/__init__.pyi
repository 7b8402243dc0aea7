from .conventions import canonical as canonical
from .conventions import members as members
