"""Find the project's SQL and template files: the only module that knows where they lie."""

from __future__ import annotations

from functools import cache
from itertools import dropwhile
from pathlib import Path

_INCLUDE = Path(__file__).resolve().parent.parent
SQL_FOLDER = _INCLUDE / "sql"
TEMPLATES_FOLDER = _INCLUDE / "templates"
PRACTICES_FILE = _INCLUDE / "practices.yaml"


@cache
def query(name: str) -> str:
    """Return the SQL of a question by its name: `include/sql/<name>.sql`, without the comment at its head.

    The head names the parameters, and a database driver would take those names for parameters too.
    """
    lines = (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(dropwhile(lambda line: line.startswith("--"), lines))
