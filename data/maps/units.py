"""Units as people write them."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def units_label(units: str) -> str:
    """`m2 s-2` as `m² s⁻²`."""
    parts = []
    for part in units.split():
        symbol = part.rstrip("-0123456789")
        parts.append(symbol + part[len(symbol) :].translate(SUPERSCRIPTS) if symbol else part)
    return " ".join(parts)
