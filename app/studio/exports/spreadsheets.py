"""Spreadsheets: (columns, rows) -> CSV (RFC 4180), numbers with a point. No torch in here."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

#: What a spreadsheet would take for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """One line per row after one with the columns' names; yes and no are 1 and 0."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = list(columns)
    writer.writerow(names)
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A number as it is; words so that no spreadsheet runs them."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple):
        return " x ".join(str(part) for part in value)
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value
