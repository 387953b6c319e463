"""Who gets in: tokens, practices, the rate limit, and the form of errors (contract sections 1 and 2, section 5 #6 to #9)."""

from __future__ import annotations

import pytest

from sandbox.nextech.faults import Effect
from sandbox.nextech.logins import CLIENT_ID
from sandbox.nextech.switches import NextechSwitches, SwitchError
from tests.integration.sandbox_nextech.desk import EASTERN, Desk, Wall


def token(desk: Desk, **form: str) -> dict:
    return desk.client.post("/nextech/oauth2/token", data={"client_id": CLIENT_ID, **form}).json()


def by_password(desk: Desk, password: str = EASTERN.password) -> dict:
    return token(desk, grant_type="password", username=EASTERN.username, password=password)


def test_a_password_gives_a_pair_of_tokens_with_numbers_as_text(desk: Desk) -> None:
    pair = by_password(desk)
    assert (pair["token_type"], pair["scope"], pair["expires_in"]) == ("Bearer", "user_impersonation", "3599")
    desk.switch(is_expires_in_text=False)
    assert by_password(desk)["expires_in"] == 3599


def test_each_refresh_gives_a_new_pair_and_ends_the_old_one(desk: Desk) -> None:
    old = by_password(desk)
    new = token(desk, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert new["access_token"] != old["access_token"]
    assert new["refresh_token"] != old["refresh_token"]
    assert token(desk, grant_type="refresh_token", refresh_token=old["refresh_token"])["error"] == "invalid_grant"
    desk.switch(does_refresh_end_old_token=False)
    assert "access_token" in token(desk, grant_type="refresh_token", refresh_token=new["refresh_token"])
    assert "access_token" in token(desk, grant_type="refresh_token", refresh_token=new["refresh_token"])


def test_a_refused_login_has_the_shape_of_azure(desk: Desk) -> None:
    refused = by_password(desk, "wrong")
    assert refused["error"] == "invalid_grant"
    assert refused["error_codes"] == [50126]
    assert refused["error_description"].startswith("AADSTS50126: ")
    assert EASTERN.username not in str(refused)
    assert token(desk, grant_type="device")["error"] == "unsupported_grant_type"
    assert token(desk, client_id="other", grant_type="password")["error"] == "unauthorized_client"


def test_too_many_wrong_passwords_lock_the_account(desk: Desk) -> None:
    desk.switch(lock_out_after=3)
    codes = [by_password(desk, "wrong")["error_codes"][0] for _ in range(4)]
    assert codes == [50126, 50126, 50126, 50053]
    assert by_password(desk)["error_codes"] == [50053]


def test_a_login_that_expired_is_refused_in_both_grants(desk: Desk) -> None:
    pair = by_password(desk)
    desk.switch(are_logins_refused=True)
    assert by_password(desk)["error_codes"] == [50055]
    assert token(desk, grant_type="refresh_token", refresh_token=pair["refresh_token"])["error"] == "invalid_grant"


def test_a_refresh_token_may_be_refused_while_the_password_is_good(desk: Desk) -> None:
    pair = by_password(desk)
    desk.fail(Effect.REFRESH_REFUSED, route="/oauth2/token")
    assert token(desk, grant_type="refresh_token", refresh_token=pair["refresh_token"])["error"] == "invalid_grant"
    assert "access_token" in by_password(desk)


def test_a_token_may_live_for_a_short_while_only(desk: Desk, wall: Wall) -> None:
    desk.switch(token_lifetime_seconds=60)
    desk.sign_in()
    assert by_password(desk)["expires_in"] == "60"
    wall.wait(60)
    assert desk.get("/Location").status_code == 401


def test_a_token_ends_after_its_lifetime_or_when_the_fault_says_so(desk: Desk, wall: Wall) -> None:
    assert desk.get("/Location").status_code == 200
    wall.wait(3599)
    assert desk.get("/Location").status_code == 401
    desk.sign_in()
    desk.fail(Effect.TOKENS_EXPIRE, remaining=1)
    assert [desk.get("/Location").status_code for _ in range(2)] == [401, 401]
    desk.sign_in()
    assert desk.get("/Location").status_code == 200


@pytest.mark.parametrize("status", [400, 401, 403, 523])
def test_a_missing_token_is_answered_as_the_switch_says(desk: Desk, status: int) -> None:
    desk.switch(unauthorized_status=status)
    del desk.client.headers["Authorization"]
    assert desk.get("/Location").status_code == status


@pytest.mark.parametrize("status", [400, 403, 523])
def test_another_practice_or_none_is_out_of_reach(desk: Desk, arizona: Desk, status: int) -> None:
    desk.switch(forbidden_status=status)
    desk.client.headers["nx-practice-id"] = arizona.setup.guid
    assert desk.get("/Location").status_code == status
    del desk.client.headers["nx-practice-id"]
    assert desk.get("/Location").status_code == status


def test_a_practice_sees_its_own_patients_only(desk: Desk, arizona: Desk) -> None:
    assert len(arizona.ids("Patient", "address-postalcode=33130")) == 0
    assert len(arizona.ids("Patient", "family=Dry")) == 1
    assert desk.ids("Patient", "family=Dry") == set()


def test_the_twenty_first_request_of_a_second_is_refused_per_user_and_endpoint(desk: Desk, arizona: Desk, wall: Wall) -> None:
    seen = [desk.get("/Location").status_code for _ in range(22)]
    assert seen == [200] * 20 + [429] * 2
    assert desk.get("/Practitioner").status_code == 200
    assert arizona.get("/Location").status_code == 200
    assert "retry-after" not in desk.get("/Location").headers
    wall.wait(1)
    assert desk.get("/Location").status_code == 200
    assert desk.nextech.traffic.peak(EASTERN.username) == 23


def test_a_limited_request_is_not_executed_and_may_say_when_to_come_back(desk: Desk) -> None:
    desk.switch(requests_per_second=1, retry_after="2", limit_per="user")
    assert desk.pay().status_code == 201
    limited = desk.pay()
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "2")
    assert desk.get("/Location").status_code == 429
    assert len(desk.booked) == 2


def test_the_peak_is_that_of_any_second_and_not_of_the_clock_s(desk: Desk, wall: Wall) -> None:
    wall.wait(0.6)
    for _ in range(15):
        desk.get("/Location")
    wall.wait(0.5)
    for _ in range(15):
        desk.get("/Location")
    assert desk.nextech.traffic.peak() == 30
    assert desk.nextech.traffic.described()["answers"]["GET /Location"] == {"200": 30}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("operation_outcome", '{"resourceType":"OperationOutcome"'),
        ("message", '{"Message":"'),
        ("text", "It does not exist."),
        ("empty", ""),
    ],
)
def test_the_body_of_an_error_has_the_form_of_the_switch(desk: Desk, form: str, text: str) -> None:
    desk.switch(error_body=form)
    answer = desk.get("/Location/99")
    assert answer.status_code == 404
    assert answer.text.startswith(text)
    assert bool(answer.content) == bool(text)


@pytest.mark.parametrize(
    ("switches", "query", "status"),
    [
        ({"search_without_parameters": "list"}, "", 200),
        ({"unknown_parameter": "reject"}, "family=Smith&colour=red", 400),
        ({"modifiers": "rejected"}, "family:exact=Smith", 400),
    ],
)
def test_the_switches_of_what_a_search_may_ask(desk: Desk, switches: dict, query: str, status: int) -> None:
    desk.switch(**switches)
    assert desk.client.get(f"/nextech/api/Patient?{query}").status_code == status


def test_the_switches_of_what_a_search_means(desk: Desk) -> None:
    desk.switch(modifiers="ignored", phone_comparison="text")
    assert len(desk.ids("Patient", "family:exact=Smith")) == 2
    assert len(desk.ids("Patient", "phone=3055550142")) == 0
    assert len(desk.ids("Patient", "phone=(305) 555-0142")) == 1
    desk.switch(patient_id_body="text")
    assert len(desk.get("/Patient/ID", identifier="20442").text) == 36
    desk.switch(patient_id_body="object")
    assert set(desk.get("/Patient/ID", identifier="20442").json()) == {"id"}


@pytest.mark.parametrize("changes", [{"payment_status": 202}, {"colour": "red"}, {"is_total_sent": "yes"}, {"retry_after": {}}])
def test_a_switch_that_does_not_exist_or_has_no_such_value_is_refused(changes: dict) -> None:
    with pytest.raises(SwitchError):
        NextechSwitches().changed_by(changes)
