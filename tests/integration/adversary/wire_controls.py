"""The table of the client's guards on its sockets: how each is broken, the server that notices, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.adversary import wire_breaking as by
from tests.integration.adversary import wire_schedules as wire
from tests.integration.sync.guards.breaking import Break, returns


@dataclass(frozen=True)
class WireControl:
    """One guard of the client broken in one way."""

    guard: str
    broken: Break
    schedule: wire.Schedule
    goes_wrong: str
    """How the schedule's complaint begins."""


WIRE_CONTROLS: dict[str, WireControl] = {
    "the transport sends again when a connection breaks": WireControl(
        "R4 one send", by.SEND_AGAIN, wire.a_connection_that_breaks_after_the_request, "doubled"
    ),
    "the transport follows redirects": WireControl("R4", by.FOLLOW, wire.a_redirect_to_another_host, "leak"),
    "each read has a time of its own": WireControl(
        "R4 deadline", by.READ_PATIENTLY, wire.a_server_that_answers_byte_by_byte, "late"
    ),
    "each write has a time of its own": WireControl(
        "R4 deadline", by.WRITE_PATIENTLY, wire.a_server_that_reads_sip_by_sip, "late"
    ),
    "connecting has no time of its own": WireControl(
        "R4 deadline", by.CONNECT_WHENEVER, wire.a_name_server_that_is_silent, "late"
    ),
    "an answer may have any size": WireControl(
        "R4 size", by.limit_nothing(max_answer_bytes=1 << 40), wire.an_endless_body, "heavy"
    ),
    "an answer may hold any number of values": WireControl(
        "R4 size", by.limit_nothing(max_answer_values=1 << 40), wire.a_body_of_tiny_objects, "heavy"
    ),
    "an answer may be compressed": WireControl("R4 size", by.READ_COMPRESSED, wire.a_gzip_bomb, "heavy"),
    "a post takes a kept connection": WireControl(
        "R3 fresh connection", by.KEEP_THE_CONNECTION, wire.a_kept_connection_that_a_balancer_forgot, "wrong state"
    ),
    "the send budget is not looked at on the open connection": WireControl(
        "R3 send budget", by.BEGIN_WHENEVER, wire.frozen_while_it_connects, "doubled"
    ),
    "links are followed as they are": WireControl("token", by.FOLLOW_LINKS, wire.a_page_whose_next_one_is_elsewhere, "leak"),
    "any base URL is taken": WireControl("token", by.TAKE_ANY_URL, wire.a_base_url_that_hides_another_host, "leak"),
    "a name may lead anywhere": WireControl(
        "token",
        returns(False, "order_sync.clients.streams.is_forbidden_address"),
        wire.a_name_that_leads_to_a_metadata_service,
        "leak",
    ),
    "any certificate is taken": WireControl("token", by.TRUST_EVERYBODY, wire.a_server_for_which_nobody_vouches, "leak"),
    "any resource is a payment": WireControl("R5", by.TAKE_ANY_RESOURCE, wire.another_resource, "wrong outcome"),
    "anybody's payment is ours": WireControl(
        "R5",
        returns(False, "order_sync.clients.nextech_outcomes.names_a_patient"),
        wire.another_patients_payment,
        "wrong outcome",
    ),
    "what does not say JSON is read as JSON": WireControl(
        "R5", by.READ_ANY_TYPE, wire.a_page_that_happens_to_be_json, "wrong outcome"
    ),
    "another birth date is the new account": WireControl(
        "R5", by.OVERLOOK_THE_BIRTH_DATE, wire.somebody_elses_chart, "wrong patient"
    ),
    "any id is a chart": WireControl("R5", by.TAKE_ANY_ID, wire.a_chart_without_a_guid, "wrong patient"),
}
"""Every mutant by its name."""
