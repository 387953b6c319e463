"""Look for tokens wherever data can come to rest: databases, files, archives, mails, strings; also when they are encoded.

The scanner decodes what it looks at, again and again until nothing new comes out, instead of guessing every way in which
a token may have been written. It searches each reading for the token and for the token backwards.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import re
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Engine, inspect, literal_column, select, table

SHORTEST_TOKEN = 5
"""A shorter one would be found everywhere."""
_SHORTEST_WORD = 9
"""A token below this is searched as a whole word, and not in what comes out of base64 or hex: chance writes it there."""
_SHORTEST_RUN = 8
_DEEPEST = 6
"""How often escapes are taken away from escapes."""
_NESTED = 2
"""How often base64 or hex inside base64 or hex is opened."""
_BETWEEN = "\ue000"
"""Stands between values that are searched together: in no token, and no blank."""
_INVISIBLE = re.compile(r"[\s\0\u00ad\u200b-\u200f\u2060\ufeff]+")
_PUNCTUATION = re.compile(r"[().+/\\-]+")
_BASE64_RUN = re.compile(rf"[A-Za-z0-9+/]{{{_SHORTEST_RUN},}}")
_HEX_RUN = re.compile(rf"[0-9A-Fa-f]{{{_SHORTEST_RUN},}}")
_READABLE = re.compile(r"[^\x01-\x1f\x7f\ufffd]{5,}")
_ESCAPES = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|U([0-9A-Fa-f]{8})|\\)")
_ZLIB_HEADS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_DATABASE_HEADS = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""Of a SQLite file and of its write-ahead log."""
_WRITTEN = re.compile(rb"[\x20-\x7e\x80-\xf4]{5,}")
_COMBINING = re.compile("[\u0300-\u036f]+")
_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "pg_toast"})


@dataclass(frozen=True, slots=True)
class Hit:
    """A token that was found, and where."""

    token: str
    where: str


@dataclass
class Scanner:
    """Search for these tokens; each has at least 5 characters."""

    tokens: Iterable[str]
    looked_at: int = 0
    """Characters and bytes seen so far: a scan that saw nothing proves nothing."""
    _needles: dict[str, str] = field(default_factory=dict)
    _words: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        words = set()
        for token in set(self.tokens):
            needle = _squeeze(_fold(token))
            if len(needle) < SHORTEST_TOKEN:
                msg = f"a token needs {SHORTEST_TOKEN} characters"
                raise ValueError(msg)
            for form in {needle, needle[::-1]}:
                if len(needle) < _SHORTEST_WORD:
                    words.add(re.escape(form))
                else:
                    self._needles[form] = token
            digits = re.sub(r"\D", "", needle)
            if len(digits) > _SHORTEST_WORD and len(digits) >= len(needle) - 6:  # a telephone number, however it is grouped
                self._needles[digits] = token
        self._words = re.compile(rf"(?<![0-9a-z])(?:{'|'.join(sorted(words)) or '(?!)'})(?![0-9a-z])")

    def in_text(self, text: str, where: str = "text") -> list[Hit]:
        """Return every token that a text holds in any form."""
        self.looked_at += len(text)
        readings = set(_readings(text))
        hits = {Hit(token, where) for reading in readings for form, token in self._needles.items() if form in reading}
        plain = [_fold(text), *(_fold(reading) for reading in _unescaped(text))]
        hits |= {Hit(found, where) for reading in plain for found in self._words.findall(reading)}
        return sorted(hits, key=lambda hit: (hit.where, hit.token))

    def in_values(self, values: Iterable[object], where: str) -> list[Hit]:
        """Return every token that one of these values holds: texts, bytes, JSON, anything with a text form."""
        texts: list[str] = []
        hits: list[Hit] = []
        for value in values:
            if isinstance(value, bytes | memoryview):
                hits += self.in_bytes(bytes(value), where)
            elif isinstance(value, dict | list | tuple):
                texts.append(json.dumps(value, ensure_ascii=False, default=str))
            elif value is not None:
                texts.append(str(value))
        return hits + self.in_text(_BETWEEN.join(texts), where)

    def in_bytes(self, data: bytes, where: str = "bytes") -> list[Hit]:
        """Return every token in bytes: a gzip, a zip or a zlib stream is opened, anything else is read as text."""
        self.looked_at += len(data)
        if data[:2] == b"\x1f\x8b":
            return self.in_bytes(gzip.decompress(data), f"{where} (gz)")
        if zipfile.is_zipfile(io.BytesIO(data)):
            return self._in_zip(data, where)
        if data[:2] in _ZLIB_HEADS:
            try:
                return self.in_bytes(zlib.decompress(data), f"{where} (zlib)")
            except zlib.error:
                pass  # it only began like one
        if data.startswith(_DATABASE_HEADS):  # mostly zeros: what stands between them is searched, deleted rows too
            data = b"\n".join(_WRITTEN.findall(data))
        text = data.decode("utf-8", "replace")
        hits = self.in_text(text, where)
        return hits + (self.in_text(data.decode("latin-1"), where) if "\ufffd" in text else [])

    def _in_zip(self, data: bytes, where: str) -> list[Hit]:
        hits = []
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            hits += self.in_bytes(archive.comment, f"{where} (comment)")
            for name in archive.namelist():
                hits += self.in_text(name, f"{where}:{name} (name)") + self.in_bytes(archive.read(name), f"{where}:{name}")
        return hits

    def in_path(self, path: Path) -> list[Hit]:
        """Return every token in a file, or in every file of a folder, names included; mails (`.eml`) are taken apart."""
        hits = []
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            hits += self.in_text(file.name, f"{file} (name)")
            if file.is_file():
                data = file.read_bytes()
                hits += self.in_mail(data, str(file)) if file.suffix == ".eml" else self.in_bytes(data, str(file))
        return hits

    def in_mail(self, message: bytes | EmailMessage, where: str = "mail") -> list[Hit]:
        """Return every token in a mail: its headers, each of its parts, their file names, and the raw text."""
        raw = message if isinstance(message, bytes) else message.as_bytes()
        parsed = BytesParser(policy=policy.default).parsebytes(raw)
        hits = self.in_bytes(raw, f"{where}, raw")
        for number, part in enumerate(parsed.walk()):
            headers = [f"{name}: {value}" for name, value in part.items()]
            hits += self.in_values([*headers, part.get_filename() or ""], f"{where}, headers of part {number}")
            if not part.is_multipart():
                payload = part.get_payload(decode=True)
                hits += self.in_bytes(payload if isinstance(payload, bytes) else b"", f"{where}, part {number}")
        return hits

    def in_database(self, engine: Engine) -> list[Hit]:
        """Return every token in any column of any table of a database, whatever its type."""
        hits: list[Hit] = []
        inspector = inspect(engine)
        schemas = [name for name in inspector.get_schema_names() if name not in _SYSTEM_SCHEMAS]
        with engine.connect() as connection:
            for schema in schemas:
                for name in inspector.get_table_names(schema=schema):
                    result = connection.execute(select(literal_column("*")).select_from(table(name, schema=schema)))
                    columns, rows = list(result.keys()), result.all()
                    for index, column in enumerate(columns):
                        hits += self.in_values((row[index] for row in rows), f"{schema}.{name}.{column}")
        return hits


def _fold(text: str) -> str:
    """Take case, accents and width away."""
    if text.isascii():
        return text.lower()
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text.casefold()))


def _squeeze(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _readings(text: str) -> Iterator[str]:
    """Yield every way to read a text, folded and without blanks; what was packed into base64 or hex is read again."""
    packed = [text]
    for depth in range(_NESTED + 1):
        packed = [reading for piece in packed for reading in _unescaped(piece)]
        for reading in packed:
            squeezed = _squeeze(_fold(reading))
            yield squeezed
            if depth == 0:
                yield _PUNCTUATION.sub("", squeezed)
        packed = [found for piece in packed for found in _unpacked(_squeeze(piece))]


def _unescaped(text: str) -> list[str]:
    """Return the text, and what it becomes when URL, HTML and JSON escapes are taken away until none is left."""
    found = [text]
    for _ in range(_DEEPEST):
        decoded = _ESCAPES.sub(_character, html.unescape(unquote(text)))
        if decoded == text:
            break
        found.append(decoded)
        text = decoded
    return found


def _character(match: re.Match[str]) -> str:
    code = int(next((group for group in match.groups() if group), "5c"), 16)
    return chr(code) if code <= sys.maxunicode else match[0]


def _unpacked(text: str) -> Iterator[str]:
    """Yield what base64 (at each alignment, both alphabets) and hex inside a text without blanks stand for."""
    decoded: list[str] = []
    for run in _BASE64_RUN.findall(text.replace("-", "+").replace("_", "/")):
        for start in range(4):
            piece = run[start:]
            whole = piece[: len(piece) // 4 * 4]
            rest = piece[len(whole) :]
            padded = whole + (rest + "=" * (4 - len(rest)) if len(rest) > 1 else "")
            decoded.append(base64.b64decode(padded).decode("utf-8", "replace"))
    runs = [piece for run in _HEX_RUN.findall(text) for piece in (run, run[1:])]
    decoded += [binascii.unhexlify(run[: len(run) // 2 * 2]).decode("utf-8", "replace") for run in runs]
    readable = [piece for text in decoded for piece in _READABLE.findall(text)]
    if readable:
        yield _BETWEEN.join(readable)
