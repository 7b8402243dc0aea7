from .figures import forecast_figure as forecast_figure
from .report import Picture as Picture
from .report import report_html as report_html
from .tabulated import tabulated as tabulated
