from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from order_sync.errors import SettingsError
from order_sync.practices import Practice, load_practices
from order_sync.resources import PRACTICES_FILE

GOOD = {
    "id": "eastern",
    "name": "Harbor Dermatology",
    "time_zone": "America/New_York",
    "active": [{"since": "2026-10-01T00:00:00-04:00"}],
    "nextech": {"location_id": "3", "provider_id": "9107", "payment_category": "WEB - Online Store"},
}


def written(tmp_path: Path, *practices: dict) -> Path:
    path = tmp_path / "practices.yaml"
    path.write_text(yaml.safe_dump({"practices": list(practices)}))
    return path


def complaint_about(path: Path) -> str:
    with pytest.raises(SettingsError) as refusal:
        load_practices(path)
    message = str(refusal.value)
    assert "\n" not in message
    return message


def test_the_projects_own_file_names_the_three_sandbox_practices():
    practices = load_practices(PRACTICES_FILE)
    assert [(practice.id, practice.time_zone) for practice in practices] == [
        ("eastern", "America/New_York"),
        ("central", "America/Chicago"),
        ("arizona", "America/Phoenix"),
    ]


def test_every_sandbox_practice_has_a_bookkeeper_at_an_invented_address():
    for practice in load_practices(PRACTICES_FILE):
        assert practice.reports.recipients
        assert all(address.endswith(".example") for address in practice.reports.recipients)
        assert practice.reports.tolerance_cents == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time_zone": "America/Boston"}, ["practices.yaml", "practice eastern", "field time_zone", "unknown time zone"]),
        ({"tme_zone": "UTC"}, ["practice eastern", "field tme_zone", "Extra inputs"]),
        ({"active": []}, ["practice eastern", "field active"]),
        ({"active": [{"since": "2026-10-01T00:00:00"}]}, ["practice eastern", "field active.0.since", "timezone"]),
        ({"nextech": {"location_id": "3"}}, ["practice eastern", "nextech.provider_id", "(and "]),
        ({"posting": {"amount_limit": "-1"}}, ["practice eastern", "field posting.amount_limit"]),
        ({"posting": {"post_again_after_hours": 23.5}}, ["practice eastern", "posting.post_again_after_hours", "24"]),
        ({"matching": {"levels": {6: "match"}}}, ["practice eastern", "matching.levels"]),
        ({"reports": {"recipients": ["books@harbor.example", "nobody"]}}, ["practice eastern", "field reports.recipients.1"]),
        ({"reports": {"recipients": ["books@harbor.example\nBcc: x@y.example"]}}, ["practice eastern", "reports.recipients.0"]),
        ({"reports": {"recipients": ["a@b.example", "A@b.example"]}}, ["practice eastern", "reports.recipients", "twice"]),
        ({"reports": {"tolerance_cents": -1}}, ["practice eastern", "reports.tolerance_cents"]),
        ({"id": "Eastern Coast"}, ["practice Eastern Coast", "field id"]),
    ],
)
def test_a_wrong_setting_is_named_by_file_practice_and_field(tmp_path: Path, change: dict, words: list[str]):
    message = complaint_about(written(tmp_path, {**GOOD, **change}))
    for word in words:
        assert word in message


def test_an_id_that_is_used_twice_is_refused(tmp_path: Path):
    assert "practice eastern, field id: used twice" in complaint_about(written(tmp_path, GOOD, GOOD))


def test_a_practice_without_an_id_is_named_by_its_place(tmp_path: Path):
    nameless = {key: value for key, value in GOOD.items() if key != "id"}
    assert "practice number 2, field id" in complaint_about(written(tmp_path, GOOD, nameless))


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path):
    path = tmp_path / "practices.yaml"
    path.write_text("practices:\n  - id: [eastern\n")
    assert complaint_about(path).startswith("practices.yaml, line 3: not valid YAML")


def test_a_file_that_is_missing_says_what_to_set(tmp_path: Path):
    assert "ORDER_SYNC_PRACTICES" in complaint_about(tmp_path / "nowhere.yaml")


def test_an_empty_file_is_refused(tmp_path: Path):
    path = tmp_path / "practices.yaml"
    path.write_text("")
    assert "practices.yaml: field (all)" in complaint_about(path)


def test_an_order_at_eight_in_the_evening_central_belongs_to_that_day():
    central = Practice.model_validate({**GOOD, "time_zone": "America/Chicago"})
    assert central.business_day(datetime(2026, 11, 11, 2, 0, tzinfo=UTC)) == date(2026, 11, 10)


def test_the_integration_is_active_from_its_start_until_just_before_its_end():
    periods = [{"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}, {"since": "2026-11-10T00:00:00Z"}]
    practice = Practice.model_validate({**GOOD, "active": periods})
    moments = {
        datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC): False,
        datetime(2026, 10, 1, tzinfo=UTC): True,
        datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC): True,
        datetime(2026, 11, 1, tzinfo=UTC): False,
        datetime(2026, 11, 10, tzinfo=UTC): True,
    }
    assert {moment: practice.is_active_at(moment) for moment in moments} == moments
    assert practice.reads_from == datetime(2026, 9, 24, tzinfo=UTC)


def test_a_practice_without_staff_is_seen_by_everybody_who_may_read():
    assert Practice.model_validate(GOOD).is_seen_by("anybody")


def test_a_practice_with_staff_is_seen_by_these_logins_alone():
    practice = Practice.model_validate({**GOOD, "staff": ["dana", " sam "]})
    assert [login for login in ("dana", "sam", "Dana", "", "pat") if practice.is_seen_by(login)] == ["dana", "sam"]
