"""The payment POST against a hostile Nextech: the class of its outcome is as reliability 3.4 says, and in time."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from order_sync.payments import PostOutcome
from tests.integration.adversary.hostile import (
    CANARY,
    DEADLINE_SECONDS,
    EXECUTED,
    GRACE_SECONDS,
    NOT_EXECUTED,
    TOKEN,
    UNKNOWN,
    booked_row,
    chunked_answer,
    post_to,
    say,
    unframed_answer,
    whole_answer,
)
from tests.integration.clients.wire_server import Peer, Talk, WireServer

JSON = "application/json"


def drip_slowly(peer: Peer) -> None:
    peer.drip(whole_answer(booked_row()), seconds=0.5)


def drip_body_slowly(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n")
    peer.drip(booked_row(2000), seconds=0.5)


def say_all_but_the_last_byte(peer: Peer) -> None:
    peer.write(whole_answer(booked_row())[:-1])
    peer.stay_silent()


def half_close_without_an_answer(peer: Peer) -> None:
    peer.connection.shutdown(socket.SHUT_WR)
    peer.stay_silent()


def half_close_inside_the_body(peer: Peer) -> None:
    peer.write(whole_answer(booked_row())[:-30])
    peer.connection.shutdown(socket.SHUT_WR)
    peer.stay_silent()


def half_close_after_the_body(peer: Peer) -> None:
    peer.write(unframed_answer(booked_row()))
    peer.connection.shutdown(socket.SHUT_WR)
    peer.stay_silent()


def reset_inside_the_body(peer: Peer) -> None:
    peer.write(whole_answer(booked_row())[:-30])
    peer.reset()


def pour_body(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n")
    while True:
        peer.write(b" " * 65_536)


def pour_head(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\n")
    while True:
        peer.write(f"X-Header: {CANARY}\r\n".encode() * 1_000)


def pour_one_header_line(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nX-Header: ")
    while True:
        peer.write(b"x" * 65_536)


def pour_interim_answers(peer: Peer) -> None:
    while True:
        peer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


def pour_chunk_extension(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    while True:
        peer.write(b"x" * 65_536)


def pour_trailers(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    while True:
        peer.write(b"X-Trailer: x\r\n" * 1_000)


def pour_small_chunks(peer: Peer) -> None:
    peer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.write(b"1\r\n \r\n" * 5_000)


def zipped(peer: Peer) -> None:
    peer.answer("201 Created", gzip.compress(booked_row()), "Content-Type: application/json", "Content-Encoding: gzip")


WITHOUT_AN_END: dict[str, Talk] = {
    "silence": Peer.stay_silent,
    "a byte every half second": drip_slowly,
    "a body with a byte every half second": drip_body_slowly,
    "all but the last byte": say_all_but_the_last_byte,
    "half closed without an answer": half_close_without_an_answer,
    "half closed inside the body": half_close_inside_the_body,
    "reset after the request": Peer.reset,
    "reset inside the body": reset_inside_the_body,
    "closed after the request": say(b""),
    "endless body": pour_body,
    "endless head": pour_head,
    "endless header line": pour_one_header_line,
    "endless interim answers": pour_interim_answers,
    "endless chunk extension": pour_chunk_extension,
    "endless trailers": pour_trailers,
    "endless small chunks": pour_small_chunks,
    "compressed": zipped,
}


@pytest.mark.parametrize("talk", WITHOUT_AN_END.values(), ids=WITHOUT_AN_END.keys())
def test_a_payment_whose_answer_never_comes_whole_is_unknown_in_time_and_sent_once(talk: Talk) -> None:
    answer, seconds, server = post_to(talk)
    assert answer.outcome is UNKNOWN
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    assert len(server.requests) == 1
    assert server.connections == 1
    assert CANARY not in repr(answer)


def reset_at_the_first_byte(peer: Peer) -> None:
    peer.connection.recv(1, socket.MSG_PEEK)
    peer.reset()


def test_a_server_that_resets_at_the_first_byte_leaves_the_outcome_unknown() -> None:
    answer, seconds, server = post_to(reset_at_the_first_byte, greets=False)
    assert answer.outcome is UNKNOWN
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    assert server.connections == 1


def test_a_connection_that_is_reset_as_it_opens_proves_at_most_that_nothing_was_sent() -> None:
    """Whether the reset is seen before or after the first byte went is chance; either way nothing is sent again."""
    answer, seconds, server = post_to(Peer.reset, greets=False)
    assert answer.outcome is UNKNOWN or (answer.outcome, answer.reason) == (NOT_EXECUTED, "not sent: no connection")
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    assert server.connections == 1


def test_a_half_closed_connection_still_carries_a_whole_answer() -> None:
    answer, _, _ = post_to(half_close_after_the_body)
    assert (answer.outcome, answer.created_id) == (EXECUTED, "88213")


def error(**more: object) -> bytes:
    return json.dumps({"resourceType": "OperationOutcome", "issue": [{"diagnostics": CANARY}], **more}).encode()


HTML = f"<html><body>{CANARY}</body></html>".encode()
STRANGE: dict[str, tuple[bytes, PostOutcome]] = {
    "proof": (whole_answer(booked_row()), EXECUTED),
    "proof in chunks": (chunked_answer(booked_row()), EXECUTED),
    "proof without a length": (unframed_answer(booked_row()), EXECUTED),
    "proof after an interim answer": (b"HTTP/1.1 100 Continue\r\n\r\n" + whole_answer(booked_row()), EXECUTED),
    "HTML 200": (whole_answer(HTML, "200 OK", "text/html"), UNKNOWN),
    "HTML 200 that says JSON": (whole_answer(HTML, "200 OK", JSON), UNKNOWN),
    "proof that says HTML": (whole_answer(booked_row(), "200 OK", "text/html"), UNKNOWN),
    "empty 201": (whole_answer(b"", "201 Created", JSON), UNKNOWN),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", UNKNOWN),
    "two bodies in one": (whole_answer(booked_row() + booked_row(), "201 Created", JSON), UNKNOWN),
    "another amount": (whole_answer(booked_row(total={"value": 129.98})), UNKNOWN),
    "an amount that is not a number": (whole_answer(booked_row(total={"value": "NaN"})), UNKNOWN),
    "an exponent beyond all numbers": (whole_answer(b'{"total": {"value": 1e9999999999999999999}}'), UNKNOWN),
    "a hundred thousand brackets": (whole_answer(b"[" * 100_000), UNKNOWN),
    "an integer of 100,000 digits": (whole_answer(b'{"id":' + b"9" * 100_000 + b"}"), UNKNOWN),
    "a date beyond all dates": (
        whole_answer(b"{}", "201 Created\r\nDate: Fri, 31 Dec 9999 23:59:59 -2359", JSON),
        UNKNOWN,
    ),
    "two lengths": (b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", UNKNOWN),
    "a negative length": (b"HTTP/1.1 201 Created\r\nContent-Length: -2\r\n\r\n{}", UNKNOWN),
    "a length and chunks": (
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        UNKNOWN,
    ),
    "an offer of another protocol": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{}", UNKNOWN),
    "HTTP/2": (b"HTTP/2 201\r\n\r\n", UNKNOWN),
    "no HTTP at all": (f"{CANARY}\r\n\r\n".encode(), UNKNOWN),
    "999": (whole_answer(error(), "999 Strange", JSON), UNKNOWN),
    "500 of the API": (whole_answer(error(), "500 Error", JSON), UNKNOWN),
    "503": (whole_answer(HTML, "503 Unavailable", "text/html"), UNKNOWN),
    "400 of a gateway": (whole_answer(HTML, "400 Bad Request", "text/html"), UNKNOWN),
    "408": (whole_answer(error(), "408 Timeout", JSON), UNKNOWN),
    "400 of the API": (whole_answer(error(), "400 Bad Request", JSON), NOT_EXECUTED),
    "429 in HTML": (whole_answer(HTML, "429 Slow", "text/html"), NOT_EXECUTED),
    "403 in HTML": (whole_answer(HTML, "403 Forbidden", "text/html"), NOT_EXECUTED),
    "523": (whole_answer(b"", "523 Login", "text/html"), NOT_EXECUTED),
}


@pytest.mark.parametrize(("said", "outcome"), STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_answer_proves_what_the_table_of_outcomes_says(said: bytes, outcome: PostOutcome) -> None:
    answer, seconds, server = post_to(say(said))
    assert answer.outcome is outcome
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    assert len(server.requests) == 1
    assert CANARY not in repr(answer)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 Choose"])
def test_a_redirected_payment_is_unknown_and_neither_it_nor_the_token_goes_there(status: str) -> None:
    with WireServer(say(whole_answer(booked_row()))) as foreign:
        location = f"{status}\r\nLocation: {foreign.url}/Patient"
        answer, _, server = post_to(say(whole_answer(b"", location)))
        assert answer.outcome is UNKNOWN
        assert foreign.connections == 0
        assert TOKEN.encode() in server.requests[0]
