"""Which given names exist: those that two kept libraries list, so that a spelling nobody bears can be told from a name.

`faker` has the given names of some eighty countries, `nicknames` the English ones and their short forms. Both are read where
they lie; a list of our own would be one nobody keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from nicknames import NickNamer

from order_sync.normal_forms import normalise_name

_COUNTRIES = "faker.providers.person"
"""Imported when the first name is looked up: most processes never look one up."""
_LISTS = ("first_names", "first_names_female", "first_names_male", "first_names_nonbinary", "first_romanized_names")
"""What the provider of a country calls its lists of given names; not every one has each."""


def is_given_name(name: str) -> bool:
    """Say whether a name in its normal form, without blanks, is one that people bear."""
    return name in _given_names()


@lru_cache(maxsize=1)
def nicknamer() -> NickNamer:
    """Return the table of nicknames; reading it takes a moment, so it is read once."""
    return NickNamer()


@lru_cache(maxsize=1)
def _given_names() -> frozenset[str]:
    normal = (normalise_name(name) for name in _written_names())
    return frozenset(name.replace(" ", "") for name in normal if name)


def _written_names() -> Iterator[str]:
    for full_name, short_names in NickNamer.default_lookup().items():
        yield full_name
        yield from short_names
    for country in iter_modules(import_module(_COUNTRIES).__path__):
        provider = import_module(f"{_COUNTRIES}.{country.name}").Provider
        for names in (getattr(provider, listed, ()) for listed in _LISTS):
            yield from names if isinstance(names, (list, tuple, dict)) else ()
