"""What a rule found, and how bad that is."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")  # worst first
EXIT_CODES: dict[Severity, int] = {"error": 2, "warning": 1, "note": 0}


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found.

    "error": a forecast from these fields would be wrong, or cannot start. "warning": real weather
    seldom or never looks like this; somebody should look. "note": worth knowing, no harm in it.
    ``remedy`` is one line that says what to do.
    """

    rule: str
    severity: Severity
    message: str
    remedy: str


def exit_code(findings: list[Finding]) -> int:
    """0 for nothing or notes, 1 for warnings, 2 for errors."""
    return max((EXIT_CODES[finding.severity] for finding in findings), default=0)


def listed(items: list[str], most: int = 6) -> str:
    """Comma-separated, with "..." for what is left out between the first ones and the last."""
    return ", ".join(items if len(items) <= most else [*items[: most - 1], "...", items[-1]])
