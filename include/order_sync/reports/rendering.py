"""Turn a template and what it may see into text: the project's only Jinja environment.

Templates see values only; what they name and is not there is an error, and HTML is escaped without being asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from order_sync.money import format_money
from order_sync.reports.wording import (
    age_words,
    count_words,
    day_words,
    moment_words,
    one_line,
    reason_words,
    short_day,
    short_moment,
    span_words,
    state_words,
)
from order_sync.resources import TEMPLATES_FOLDER

_TEXT_WIDTH = 64
"""Columns of a plain-text letter: fits a phone held sideways, and a quotation of it."""


@pass_context
def _money(context: Context, amount_cents: int) -> str:
    """Write cents in the report's currency."""
    return format_money(amount_cents, str(context["currency"]))


def _dotted(label: str, value: str) -> str:
    """Write a label and a value on one line of a plain-text letter, with dots between them that still guide the eye."""
    dots = _TEXT_WIDTH - len(label) - len(value) - 2
    return f"{label} {'.' * max(2, dots)} {value}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = _money
    environment.filters["money_in"] = format_money
    environment.filters["day"] = day_words
    environment.filters["short_day"] = short_day
    environment.filters["moment"] = moment_words
    environment.filters["short_moment"] = short_moment
    environment.filters["span_to"] = span_words
    environment.filters["state_words"] = state_words
    environment.filters["reason_words"] = reason_words
    environment.filters["age"] = age_words
    environment.filters["counted"] = count_words
    environment.filters["dotted"] = _dotted
    environment.filters["one_line"] = one_line
    return environment


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template's text; raises `jinja2.UndefinedError` for a name that is not among the values."""
    return _environment().get_template(template).render(values)
