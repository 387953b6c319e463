"""What the tasks of `reconcile_payments` say and send: on real HTTP and to a real mail server, which quotes a patient."""

from __future__ import annotations

import socketserver
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from order_sync.bootstrap import report_steps
from order_sync.bootstrap.runs import Run
from order_sync.ledger.report_models import DeliveryRow
from order_sync.ledger.session import Ledger
from sandbox.demo.drafts import Draft
from sandbox.demo.practices import PRACTICES
from sandbox.demo.scenes import PAID
from sandbox.demo.staging import play_draft
from sandbox.nextech.staff import act_as_staff
from sandbox.server import RunningSandbox
from sandbox.store.faults import Effect, Fault
from tests.canaries.morning_scenes import everything_about
from tests.canaries.people import EVERYBODY, SENTENCE, TOKENS
from tests.canaries.scanner import Hit, Scanner
from tests.canaries.watch import Watch
from tests.desks import demo_practices
from tests.integration.bootstrap import conftest as bootstrap
from tests.integration.bootstrap.written import PRACTICE, Connections

pytestmark = pytest.mark.airflow

_airflow_home = bootstrap._airflow_home
sandbox = bootstrap.sandbox
connections = bootstrap.connections
ledger = bootstrap.ledger


class QuotingServer(socketserver.ThreadingTCPServer):
    """A mail server that quotes a patient in all that it says, and refuses at one step."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, refused: str) -> None:
        self.refused = refused
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    server: QuotingServer

    def handle(self) -> None:
        self._say("220")
        while verb := self.rfile.readline().decode().strip().upper()[:4]:
            is_refused = verb == self.server.refused
            if verb == "DATA" and not is_refused:
                self._say("354")
                while self.rfile.readline().strip() != b".":
                    pass
            self._say("550" if is_refused else "221" if verb == "QUIT" else "250")

    def _say(self, code: str) -> None:
        self.wfile.write(f"{code} {SENTENCE}\r\n".encode())


def choose_server(connections: Connections, port: int) -> None:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "order-sync@biscayne.example", "retry_limit": 0}
    connections.write("smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=extra)


def practise(sandbox: RunningSandbox) -> str:
    """Let canaries buy yesterday, and staff write about them; return the day."""
    practice = demo_practices()[PRACTICE]
    yesterday = practice.business_day(datetime.now(UTC)) - timedelta(days=1)
    noon = datetime(yesterday.year, yesterday.month, yesterday.day, 12, tzinfo=practice.zone).astimezone(UTC)
    charts = [person.chart() for person in EVERYBODY[:3]]
    sandbox.nextech.seed(charts)
    for person in EVERYBODY[:3]:
        draft = Draft(practice=PRACTICES[PRACTICE], placed_at=noon, buyer=person.buyer(), basket=(("DRM-SPF50-50ML", 1),))
        person.sign(play_draft(sandbox.shops[PRACTICE], draft, PAID)[-1])
    for number, note in enumerate(everything_about(EVERYBODY[0])):
        asked = {"practice": PRACTICE, "patient_id": charts[0].patient_id, "amount_cents": 5_000 + number, "note": note}
        act_as_staff(sandbox.nextech, "hand-payment", {**asked, "business_day": yesterday.isoformat()})
    return yesterday.isoformat()


def test_the_steps_of_a_morning_tell_and_mail_nothing_personal(  # noqa: PLR0917
    sandbox: RunningSandbox,
    watch: Watch,
    ledger: Ledger,
    connections: Connections,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
):
    day = practise(sandbox)
    sandbox.world.mailbox.clear()

    def attempt(act: Callable[[], object]) -> None:
        try:
            watch.told.append(repr(act()))
        except Exception as error:  # noqa: BLE001 - whatever it is, its text is looked at
            watch.note(error)

    def begin() -> None:
        run = Run("manual__1", datetime.now(UTC), is_dry=False, params={"period": day, "practice": PRACTICE, "send": True})
        monkeypatch.setattr(report_steps, "current_run", lambda: run)
        attempt(report_steps.list_reports)
        attempt(lambda: report_steps.reconcile_periods(PRACTICE, [day]))

    def send_to(port: int) -> None:
        choose_server(connections, port)
        attempt(lambda: report_steps.send_letters(PRACTICE, [day]))

    choose_server(connections, sandbox.smtp_port)
    begin()
    send_to(1)
    for refused in ("MAIL", "RCPT", "DATA", "none"):
        with QuotingServer(refused) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            send_to(server.server_address[1])
            server.shutdown()
    begin()
    send_to(sandbox.smtp_port)
    sandbox.shops[PRACTICE].faults.add(Fault(effect=Effect.MASKED_500), datetime.now(UTC))
    begin()
    send_to(sandbox.smtp_port)
    attempt(report_steps.report_failures)

    letters = sandbox.world.mailbox.mails()
    assert [len(mail.attachments) for mail in letters] == [0, 2]
    with ledger.transaction() as tx:
        states = [row.state for row in tx.session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))]
    assert sorted(set(states)) == ["accepted", "failed"]
    assert len(watch.errors) == 6  # four letters that did not leave, a store that is out, and the red end of the run
    assert any("differ" in told for told in watch.told)
    scanner = Scanner(TOKENS)
    printed = capsys.readouterr()
    hits: list[Hit] = [
        *watch.find(scanner),
        *scanner.in_values([printed.out, printed.err], "printed"),
        *scanner.in_database(ledger.engine),
        *scanner.in_path(tmp_path),
        *(hit for mail in letters for hit in scanner.in_mail(mail.source, f"mail {mail.mail_id}")),
    ]
    assert hits == []
