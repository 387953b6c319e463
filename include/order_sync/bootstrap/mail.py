"""The mail server of the connection `smtp_default`, by the SMTP provider's hook."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from ipaddress import ip_address

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowException

from order_sync.bootstrap.connections import read_connection
from order_sync.errors import SettingsError

CONNECTION = "smtp_default"


class MailHook(SmtpHook):
    """A mail server that our letters are handed to.

    The provider's own `send_email_smtp` sends no plain text beside the HTML and reads attachments from files; connecting,
    TLS and login are its.
    """

    def __init__(self) -> None:
        """Read the connection; raises `SettingsError` naming the field of what is missing or not safe."""
        super().__init__(smtp_conn_id=CONNECTION)
        settings = read_connection(CONNECTION)
        extra = settings.extra_dejson
        if not settings.host:
            msg = f"connection {CONNECTION}, field host: missing"
            raise SettingsError(msg)
        if not extra.get("from_email"):
            msg = f"connection {CONNECTION}, extra field from_email: missing; letters need a sender"
            raise SettingsError(msg)
        if not _is_loopback(settings.host):
            _require_tls(extra)
        self._host_name = settings.host
        self._sender = str(extra["from_email"])

    @property
    def sender(self) -> str:
        """Return the address that the letters come from."""
        return self._sender

    def send(self, message: EmailMessage, recipient: str) -> str:
        """Hand a message over for one address; return the name of the server that took it.

        Raises `smtplib.SMTPException` or `OSError` when it did not.
        """
        client = self._smtp_client
        if not isinstance(client, smtplib.SMTP):
            msg = "not connected"
            raise smtplib.SMTPServerDisconnected(msg)
        client.send_message(message, from_addr=self._sender, to_addrs=[recipient])
        return self._host_name

    def leave(self) -> None:
        """Say goodbye and close the connection, whether the server still listens or not."""
        client, self._smtp_client = self._smtp_client, None
        if isinstance(client, smtplib.SMTP):
            with suppress(smtplib.SMTPException, OSError):
                client.quit()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", "sandbox"}  # the second is the compose file's own


def _require_tls(extra: dict[str, object]) -> None:
    """Raise unless mail goes out encrypted to a server whose certificate is checked (reliability S14, S17)."""
    if extra.get("disable_ssl") and extra.get("disable_tls"):
        msg = f"connection {CONNECTION}, extra fields disable_ssl and disable_tls: mail must be encrypted; remove one of them"
        raise SettingsError(msg)
    if extra.get("ssl_context") == "none":
        msg = f"connection {CONNECTION}, extra field ssl_context: certificates are always checked; remove the field"
        raise SettingsError(msg)


@contextmanager
def open_mail() -> Iterator[MailHook]:
    """Connect and log in to the mail server, and leave it at the end.

    Raises `SettingsError` for a wrong setting; a server that does not answer raises as `MailHook.send` does, when a letter
    is sent, so that each letter has its row in the ledger.
    """
    hook = MailHook()
    try:
        hook.get_conn()
    except (smtplib.SMTPException, OSError, AirflowException):
        yield hook  # not connected: `send` says so for every letter
        return
    try:
        yield hook
    finally:
        hook.leave()
