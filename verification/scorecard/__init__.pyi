from .figures import forecast_figure as forecast_figure
from .report import report_html as report_html
