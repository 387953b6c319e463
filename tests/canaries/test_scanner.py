"""The scanner finds 50 of 50 planted leaks, each in another place or another disguise, and nothing where nothing is."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.canaries.scanner import Hit, Scanner

NAME, ACCENTED, MAIL = "Quellenhofer", "Zúñiga-Vögelin", "q.ellenhofer+skin@mailbox.example"
PHONE, BORN, ZIP, STREET = "(305) 555-0142", "1931-02-27", "59713", "77 Wexelbaum Crescent"
TOKENS = (NAME, ACCENTED, MAIL, PHONE, BORN, ZIP, STREET)

Plant = Callable[[Path, Scanner], list[Hit]]


def said(written: str) -> Plant:
    """In a line of a log."""
    return lambda _folder, scanner: scanner.in_text(f"2026-11-18 17:00:01 practice eastern: order 4127: {written}; try 2")


def stored(kind: str, value: object) -> Plant:
    """In a column of a database."""

    def plant(folder: Path, scanner: Scanner) -> list[Hit]:
        engine = create_engine(f"sqlite:///{folder / 'planted.db'}")
        with engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE kept (id INTEGER PRIMARY KEY, clean TEXT, found {kind})"))
            connection.execute(text("INSERT INTO kept VALUES (1, 'clean', NULL), (2, 'clean', :found)"), {"found": value})
        hits = scanner.in_database(engine)
        engine.dispose()
        assert all(hit.where.startswith("main.kept.found") for hit in hits)
        return hits

    return plant


def filed(name: str, data: bytes) -> Plant:
    """In a file somewhere below a folder."""

    def plant(folder: Path, scanner: Scanner) -> list[Hit]:
        path = folder / "deep" / "er" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        (folder / "clean.log").write_text("nothing here")
        return scanner.in_path(folder)

    return plant


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clean.txt", "nothing here")
        archive.writestr(name, data)
    return buffer.getvalue()


def mailed(change: Callable[[EmailMessage], None], *, as_file: bool = False) -> Plant:
    """In a mail."""

    def plant(folder: Path, scanner: Scanner) -> list[Hit]:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = "Daily report", "reports@practice.example", "desk@practice.example"
        message.set_content("All is well.")
        change(message)
        if not as_file:
            return scanner.in_mail(message)
        (folder / "kept.eml").write_bytes(message.as_bytes())
        return scanner.in_path(folder)

    return plant


def with_subject(value: str) -> Callable[[EmailMessage], None]:
    return lambda message: message.replace_header("Subject", value)


def b64(value: str, before: str = "") -> str:
    return base64.b64encode(f"{before}{value} and more".encode()).decode()


def percent_all(value: str) -> str:
    return "".join(f"%{byte:02x}" for byte in value.encode())


def entities(value: str) -> str:
    return "".join(f"&#{ord(char)};" for char in value)


PLANTS: dict[str, tuple[str, Plant]] = {
    # as it is, and folded
    "plain": (NAME, said(NAME)),
    "upper case": (NAME, said(NAME.upper())),
    "lower case": (NAME, said(NAME.lower())),
    "reversed": (NAME, said(NAME[::-1])),
    "inside a longer word": (NAME, said(f"x{NAME}y")),
    "without accents": (ACCENTED, said("ZUNIGA-VOGELIN")),
    "decomposed accents": (ACCENTED, said("Zu\u0301n\u0303iga-Vo\u0308gelin")),
    "full-width letters": (NAME, said("".join(chr(ord(char) + 0xFEE0) for char in NAME))),
    "in the repr of an exception": (NAME, said(repr(ValueError({"lastname": NAME})))),
    # split
    "soft hyphens": (NAME, said("\u00ad".join(NAME))),
    "zero-width spaces": (NAME, said("\u200b".join(NAME))),
    "wrapped over two lines": (STREET, said("77 Wexelbaum\n    Crescent")),
    "other blanks": (STREET, said("77\u00a0Wexelbaum\tCrescent")),
    # URLs
    "e-mail in a query": (MAIL, said("GET /Patient?email=" + urllib.parse.quote(MAIL, safe=""))),
    "quoted twice": (MAIL, said(urllib.parse.quote(urllib.parse.quote(MAIL, safe=""), safe=""))),
    "every byte quoted": (NAME, said(percent_all(NAME))),
    "accents quoted": (ACCENTED, said(urllib.parse.quote(ACCENTED))),
    # HTML and JSON
    "decimal entities": (NAME, said(entities(NAME))),
    "hex entities": (NAME, said("".join(f"&#x{ord(char):X};" for char in NAME))),
    "named entities": (ACCENTED, said(html.escape(ACCENTED).replace("ú", "&uacute;").replace("ñ", "&ntilde;"))),
    "entities of entities": (NAME, said(html.escape(entities(NAME)))),
    "JSON": (ACCENTED, said(json.dumps({"name": ACCENTED}))),
    "JSON in JSON": (ACCENTED, said(json.dumps(json.dumps(ACCENTED)))),
    "every letter escaped": (NAME, said("".join(f"\\u{ord(char):04x}" for char in NAME))),
    # base64 and hex
    "base64, first alignment": (NAME, said(b64(NAME))),
    "base64, second alignment": (NAME, said(b64(NAME, "a"))),
    "base64, third alignment": (NAME, said(b64(NAME, "ab"))),
    "base64 for URLs": (ACCENTED, said(base64.urlsafe_b64encode(f"??>>{ACCENTED}".encode()).decode())),
    "base64 over lines": (MAIL, said("\n".join(base64.encodebytes(f"{'-' * 50}{MAIL}".encode()).decode().split()))),
    "base64 in base64": (NAME, said(b64(b64(NAME)))),
    "basic authorisation": (MAIL, said("Authorization: Basic " + base64.b64encode(f"{MAIL}:x".encode()).decode())),
    "hex": (NAME, said(NAME.encode().hex())),
    "hex in capitals, odd start": (NAME, said("f" + NAME.encode().hex().upper())),
    "hex of a JSON text": (ACCENTED, said(json.dumps(ACCENTED).encode().hex())),
    # telephones, dates, ZIPs
    "phone in E.164": (PHONE, said("+13055550142")),
    "phone with dots": (PHONE, said("305.555.0142")),
    "birth date": (BORN, said(f"{BORN}T00:00:00Z")),
    "ZIP": (ZIP, said(f"FL {ZIP}-1203")),
    # databases
    "text column": (NAME, stored("TEXT", f"see {NAME}")),
    "JSON column": (ACCENTED, stored("JSON", json.dumps({"a": [{"b": ACCENTED}]}))),
    "blob, packed": (NAME, stored("BLOB", zlib.compress(f"xcom {NAME}".encode()))),
    # files
    "gzipped log": (MAIL, filed("task.log.gz", gzip.compress(f"sent to {MAIL}".encode()))),
    "zip in a zip": (NAME, filed("all.zip", zipped("inner.zip", zipped("a.csv", f"1,{NAME}".encode())))),
    "file name": (NAME, filed(f"{NAME}.txt", b"")),
    "UTF-16": (NAME, filed("export.csv", f"id;{NAME}".encode("utf-16"))),
    "Latin-1": (ACCENTED, filed("old.txt", f"an {ACCENTED}".encode("latin-1"))),
    # mails
    "mail subject": (ACCENTED, mailed(with_subject(f"Order of {ACCENTED}"))),
    "HTML part": (
        ACCENTED,
        mailed(lambda mail: mail.add_alternative(f"<p>{ACCENTED}{'.' * 90}</p>", subtype="html", cte="quoted-printable")),
    ),
    "attachment": (
        NAME,
        mailed(lambda mail: mail.add_attachment(zipped("sheet1.xml", NAME.encode()), maintype="application", subtype="zip")),
    ),
    "kept mail, attached name": (
        NAME,
        mailed(lambda mail: mail.add_attachment(b"1", maintype="text", subtype="csv", filename=f"{NAME}.csv"), as_file=True),
    ),
}


def test_there_are_fifty_plants():
    assert len(PLANTS) == 50


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_leak_is_found(plant: str, tmp_path: Path):
    token, scan = PLANTS[plant]
    hits = scan(tmp_path, Scanner(TOKENS))
    assert {"".join(char for char in hit.token.casefold() if char.isalnum()) for hit in hits} == {
        "".join(char for char in token.casefold() if char.isalnum())
    }


CLEAN = (
    "practice eastern: order 100004127: Duplicated customer: pick the patient (305 555 0199 is the practice's own)",
    "GET /Patient?email=%40&identifier=a1b2c3 status 409, request id 0HMVD9:00000002, 2026-11-18T17:00:01.597130Z",
    json.dumps({"amount_cents": 597130, "marker": "DP-7K3QX0M9ZT4R-H", "sha": "9f" * 32, "born": "1931-02-72"}),
    base64.b64encode(b"the quick brown fox jumps over the lazy dog").decode(),
)


def test_nothing_is_found_where_nothing_is(tmp_path: Path):
    scanner = Scanner(TOKENS)
    hits = [hit for line in CLEAN for hit in scanner.in_text(line)]
    for scan in (
        stored("TEXT", CLEAN[0]),
        filed("clean.log.gz", gzip.compress("\n".join(CLEAN).encode())),
        filed("clean.zip", zipped("clean.csv", CLEAN[2].encode())),
        mailed(with_subject(CLEAN[1])),
    ):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        hits += scan(folder, scanner)
    assert hits == []
    assert scanner.looked_at > 2_000


def test_a_token_that_would_be_found_everywhere_is_refused():
    with pytest.raises(ValueError, match="5 characters"):
        Scanner(["Lee"])
