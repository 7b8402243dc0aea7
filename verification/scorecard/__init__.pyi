from .error_maps import error_pictures as error_pictures
from .figures import forecast_figure as forecast_figure
from .panels import write_panels as write_panels
from .picture import Picture as Picture
from .report import report_html as report_html
from .tabulated import tabulated as tabulated
