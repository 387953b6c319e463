"""The mail server of `smtp_default`: a real one on a real socket, and the settings that are refused."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import Any

import pytest

from order_sync.bootstrap.mail import open_mail
from order_sync.errors import SettingsError
from sandbox.server import RunningSandbox
from tests.integration.bootstrap.written import Connections

SENDER = "order-sync@biscayne.example"
SAFE: dict[str, Any] = {"from_email": SENDER, "retry_limit": 0, "timeout": 5}
PLAIN = {"disable_ssl": True, "disable_tls": True}


def a_message() -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Reconciliation", SENDER, "books@biscayne.example"
    message.set_content("Both sides agree.")
    return message


def test_a_letter_is_handed_to_the_mail_server_of_the_connection(connections: Connections, sandbox: RunningSandbox):
    connections.write("smtp_default", conn_type="smtp", host="127.0.0.1", port=sandbox.smtp_port, extra={**SAFE, **PLAIN})
    with open_mail() as mailer:
        assert mailer.sender == SENDER
        assert mailer.send(a_message(), "books@biscayne.example") == "127.0.0.1"
        assert mailer.send(a_message(), "owner@biscayne.example") == "127.0.0.1"
    received = sandbox.world.mailbox.mails()[:2]
    assert [mail.recipients for mail in received] == [("owner@biscayne.example",), ("books@biscayne.example",)]
    assert received[0].plain is not None
    assert received[0].plain.strip() == "Both sides agree."


def test_a_mail_server_that_is_not_there_fails_each_letter_and_nothing_else(connections: Connections):
    connections.write("smtp_default", conn_type="smtp", host="127.0.0.1", port=1, extra={**SAFE, **PLAIN})
    with open_mail() as mailer, pytest.raises(smtplib.SMTPServerDisconnected):
        mailer.send(a_message(), "books@biscayne.example")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"host": "", "extra": SAFE}, "connection smtp_default, field host: missing"),
        ({"host": "mail.biscayne.example", "extra": {}}, "connection smtp_default, extra field from_email: missing"),
        ({"host": "mail.biscayne.example", "extra": {**SAFE, **PLAIN}}, "mail must be encrypted"),
        ({"host": "10.0.0.5", "extra": {**SAFE, **PLAIN}}, "mail must be encrypted"),
        ({"host": "mail.biscayne.example", "extra": {**SAFE, "ssl_context": "none"}}, "certificates are always checked"),
    ],
)
def test_a_mail_server_that_is_not_safe_is_refused(connections: Connections, settings: dict[str, Any], told: str):
    connections.write("smtp_default", conn_type="smtp", port=25, **settings)
    with pytest.raises(SettingsError, match=told), open_mail():
        pass
