"""The whole sandbox over real sockets: both APIs, the pages, the mails, and how it starts and ends."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import httpx
import pytest

from sandbox.demo.practices import EASTERN
from sandbox.nextech.faults import Effect, Fault
from sandbox.nextech.logins import CLIENT_ID
from sandbox.people import SeedPatient
from sandbox.server import RunningSandbox, listen
from sandbox.world import SandboxOptions
from tests.integration.sandbox_nextech.desk import ANA, MARKER, PAY_ROUTE, payment_body

HOSTILE = "<script>alert('x')</script>"
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(is_empty=True)) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    """Call a sandbox that stands at its beginning, with one patient, as eastern's service user."""
    sandbox.world.reset()
    sandbox.nextech.seed([SeedPatient("eastern", ANA, "20442", HOSTILE, "O'Hara & Sons")])
    with httpx.Client(base_url=sandbox.url, timeout=5) as client:
        form = {
            "grant_type": "password",
            "client_id": CLIENT_ID,
            "username": EASTERN.nextech_user,
            "password": EASTERN.nextech_password,
        }
        token = client.post("/nextech/oauth2/token", data=form).json()["access_token"]
        client.headers.update({"Authorization": f"Bearer {token}", "nx-practice-id": EASTERN.practice_guid})
        yield client


def pay(client: httpx.Client, note: str = f"{MARKER} #1") -> httpx.Response:
    body = payment_body(note=note, location=EASTERN.location_id, provider=EASTERN.provider_id)
    return client.post(f"/nextech/api/Patient/{ANA}/PaymentReconciliation", json=body)


def test_it_says_that_it_is_there(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"service": "order_sync sandbox", "status": "ok"}


def test_a_payment_over_http_stands_in_the_books(client: httpx.Client) -> None:
    assert pay(client).status_code == 201
    book = client.get("/nextech/control/books", params={"practice": "eastern"}).json()["eastern"]
    row = book["patients"][0]["payments"][0]
    assert (row["amount_cents"], row["business_day"], row["marker"]) == (12999, "2026-01-05", MARKER)
    assert book["total_cents"] == 12999
    assert client.get("/nextech/control/books", params={"practice": "northern"}).status_code == 404


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (Effect.CREATED_TRUNCATED, httpx.RemoteProtocolError),
        (Effect.TIMED_OUT_EXECUTED, httpx.ReadTimeout),
        (Effect.TIMED_OUT, httpx.ReadTimeout),
    ],
)
def test_an_answer_that_does_not_come_is_felt_on_a_real_socket(
    sandbox: RunningSandbox, client: httpx.Client, effect: Effect, error: type[Exception]
) -> None:
    sandbox.nextech.faults.plant(Fault(effect, route=PAY_ROUTE, remaining=1))
    client.timeout = httpx.Timeout(0.4)
    with pytest.raises(error):
        pay(client)
    booked = client.get("/nextech/control/books").json()["eastern"]["payment_count"]
    assert booked == (0 if effect is Effect.TIMED_OUT else 1)


def test_a_dripped_answer_comes_one_byte_at_a_time(sandbox: RunningSandbox, client: httpx.Client) -> None:
    sandbox.nextech.faults.plant(Fault(Effect.DRIPPED, remaining=1))
    with client.stream("GET", "/nextech/api/Location") as answer:
        pieces = answer.iter_raw(1)
        assert [next(pieces), next(pieces)] == [b"{", b'"']


def test_everything_can_be_set_over_http(client: httpx.Client) -> None:
    switches = client.put("/nextech/control/switches", json={"payment_status": 200, "latency_seconds": 0.01}).json()
    assert switches["payment_status"] == 200
    assert client.get("/nextech/control/switches").json() == switches
    assert client.put("/nextech/control/switches", json={"colour": 1}).status_code == 400

    description = {"effect": "failed_executed", "method": "POST", "route": PAY_ROUTE, "remaining": 1}
    fault_id = client.post("/nextech/control/faults", json=description).json()["fault_id"]
    assert pay(client).status_code == 500
    assert client.get("/nextech/control/faults").json()[0]["struck"] == 1
    assert client.delete("/nextech/control/faults", params={"fault_id": fault_id}).json() == []
    assert client.post("/nextech/control/faults", json={"effect": "earthquake"}).status_code == 400
    assert client.post("/nextech/control/faults", json={"effect": "failed", "route": "/patients"}).status_code == 400

    payment = client.get("/nextech/control/books").json()["eastern"]["patients"][0]["payments"][0]["payment_id"]
    voided = client.post("/nextech/control/staff/void", json={"practice": "eastern", "payment_id": payment})
    assert voided.status_code == 200
    assert client.post("/nextech/control/staff/void", json={"practice": "eastern"}).status_code == 400

    requests = client.get("/nextech/control/requests").json()
    assert requests["answers"][f"POST {PAY_ROUTE}"] == {"500": 1}
    assert requests["peak_per_second"] == 1

    client.post("/nextech/control/reset")
    assert client.get("/nextech/control/switches").json()["payment_status"] == 201
    assert client.get("/nextech/control/books").json()["eastern"]["payment_count"] == 0


def test_the_store_of_each_practice_is_mounted_beside_it(client: httpx.Client) -> None:
    query = {"searchCriteria[pageSize]": "1"}
    headers = {"Authorization": f"Bearer {EASTERN.store_token}"}
    answer = client.get("/store/eastern/rest/V1/orders", params=query, headers=headers)
    assert answer.json()["total_count"] == 0
    assert client.get("/store/arizona/rest/V1/orders", params=query, headers=headers).status_code == 401


def test_the_pages_show_what_was_booked_and_escape_it(sandbox: RunningSandbox, client: httpx.Client) -> None:
    pay(client, note=f"{MARKER} {HOSTILE}")
    pay(client, note=f"{MARKER} again")
    sandbox.nextech.faults.plant(Fault(Effect.FAILED, route=HOSTILE))
    for address in ("/", "/books", "/books/eastern"):
        page = client.get(address)
        assert page.status_code == 200
        assert HOSTILE not in page.text, address
        assert "doubled" in page.text, address
        assert "default-src 'none'" in page.headers["content-security-policy"]
    book = client.get("/books/eastern").text
    assert "O&#39;Hara &amp; Sons, &lt;script&gt;" in book
    assert "$129.99" in book
    assert "$259.98" in book
    assert client.get("/books/northern").status_code == 404
    assert client.get("/style.css").headers["content-type"].startswith("text/css")


def test_the_start_page_tells_what_goes_wrong_right_now(sandbox: RunningSandbox, client: httpx.Client) -> None:
    assert "no fault is planted" in client.get("/").text
    sandbox.nextech.faults.plant(Fault(Effect.RATE_LIMITED, practice="eastern", remaining=3))
    client.put("/nextech/control/switches", json={"retry_after": "9"})
    page = client.get("/").text
    assert "rate_limited" in page
    assert "3 more" in page
    assert "retry_after = 9" in page
    client.post("/control/reset")
    assert "no fault is planted" in client.get("/").text


def test_what_the_start_page_suggests_can_be_done(sandbox: RunningSandbox, client: httpx.Client) -> None:
    payment = pay(client).json()["id"]
    page = unescape(client.get("/").text).replace("\\\n", " ").replace("88123", payment)
    commands = re.findall(r"curl -X (\w+) ([^\s<]+)(?:\s+-H '[^']*'\s+-d '([^']*)')?", page)
    assert len(commands) == 7
    for method, address, body in commands:
        answer = client.request(method, address, content=body, headers={"content-type": "application/json"})
        assert answer.is_success, (address, answer.text)
        assert address.startswith(sandbox.url)


def letter() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"Daily reconciliation {HOSTILE}"
    mail["From"] = "order-sync@practice.example"
    mail["To"] = "books@practice.example"
    mail.set_content("plain words — with a dash")
    mail.add_alternative("<h1>All tied</h1><script>alert(1)</script>", subtype="html")
    mail.add_attachment(b"order;cents\n1;2\n", maintype="text", subtype="csv", filename='breaks "1".csv')
    return mail


def test_a_mail_is_kept_and_shown_and_delivered_to_nobody(sandbox: RunningSandbox, client: httpx.Client) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as smtp:
        smtp.send_message(letter(), to_addrs=["books@practice.example", "hidden@practice.example"])
    listing = client.get("/mail").text
    assert HOSTILE not in listing
    assert "hidden@practice.example" in listing
    address = re.search(r'href="(/mail/\d+)"', listing).group(1)
    page = client.get(address).text
    assert "plain words — with a dash" in page
    assert f'sandbox="allow-popups allow-popups-to-escape-sandbox" src="{address}/html"' in page
    html = client.get(f"{address}/html")
    assert "<h1>All tied</h1>" in html.text
    assert html.headers["content-security-policy"].startswith("sandbox")
    file = client.get(f"{address}/files/1")
    assert file.content.replace(b"\r\n", b"\n") == b"order;cents\n1;2\n"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''breaks%20%221%22.csv"
    assert b"Subject: Daily" in client.get(f"{address}/source").content
    assert client.get("/mail/999").status_code == 404
    assert client.get(f"{address}/files/2").status_code == 404


def test_a_taken_port_is_one_clear_line_and_exit_code_1() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", str(port), "--smtp-port", "0", "--empty"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert f"port {port} on 127.0.0.1 is taken" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_it_is_told_to(number: signal.Signals) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--smtp-port", "0", "--empty"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))
    try:
        wait_until_it_answers(port)
        with socket.create_connection(("127.0.0.1", port)) as hanging:
            leave_hanging(port, hanging)
            process.send_signal(number)
            output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert errors == b""
    assert output.decode().startswith(f"http://127.0.0.1:{port}/ is the sandbox, port ")
    assert len(output.splitlines()) == 1


def leave_hanging(port: int, connection: socket.socket) -> None:
    """Send a request that is never answered."""
    httpx.post(f"http://127.0.0.1:{port}/nextech/control/faults", json={"effect": "hung", "remaining": 1})
    connection.sendall(b"POST /nextech/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")


def wait_until_it_answers(port: int) -> None:
    """Ask until somebody listens: httpx waits between its attempts to connect, up to half a minute in all."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=7), base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/healthz").status_code == 200


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(load={"arizona": 3})) as running:
        yield running


def test_the_demo_fills_the_stores_and_nextech(demo: RunningSandbox) -> None:
    assert set(demo.shops) == {"eastern", "central", "arizona"} == set(demo.nextech.offices)
    assert all(office.chart.patients for office in demo.nextech.offices.values())
    load = [record for record in demo.shops["arizona"].orders.values() if record.entity_id > 1_000_000]
    assert len(load) == 3
    charts = demo.nextech.offices["arizona"].chart.patients.values()
    assert {record.row["customer_email"] for record in load} <= {chart.email for chart in charts}


def test_orders_arrive_when_they_are_asked_for(demo: RunningSandbox) -> None:
    number = httpx.post(f"{demo.url}/control/arrivals").json()["order"]
    assert number in {record.number for shop in demo.shops.values() for record in shop.orders.values()}


def test_the_situations_show_what_was_booked_under_their_order_number(demo: RunningSandbox) -> None:
    situation = next(each for each in demo.world.situations if each.practice_id == "eastern" and each.amount_cents)
    office = demo.nextech.offices["eastern"]
    before = httpx.get(f"{demo.url}/situations").text
    assert situation.order_numbers[-1] in before
    assert "as expected" not in before
    note = f"{MARKER} #{situation.order_numbers[-1]} main"
    row = office.add_by_hand(situation.patient_id, situation.amount_cents, situation.business_day, note, demo.world.clock())
    assert "as expected" not in httpx.get(f"{demo.url}/situations").text
    row.origin = "api"
    assert "as expected" in httpx.get(f"{demo.url}/situations").text
    demo.world.reset()
    assert "as expected" not in httpx.get(f"{demo.url}/situations").text


def test_orders_keep_arriving_while_it_runs() -> None:
    with RunningSandbox(SandboxOptions(has_arrivals=True, arrival_seconds=0.01)) as running:

        def orders() -> int:
            return sum(len(shop.orders) for shop in running.shops.values())

        wanted = orders() + 3
        with httpx.Client(base_url=running.url) as client:
            for _ in range(2000):
                client.get("/healthz")
                if orders() >= wanted:
                    break
        assert orders() >= wanted
