"""A mail server that keeps every mail in memory and delivers none."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from threading import RLock

from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT_MAILS = 500
LARGEST_MAIL_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it arrived, taken apart."""

    mail_id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    """The envelope's, so that blind copies show."""
    subject: str
    plain: str | None = field(repr=False)
    html: str | None = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    source: bytes = field(default=b"", repr=False)


class Mailbox:
    """Keep the last mails; safe to read from another thread."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Start empty."""
        self._clock = clock
        self._mails: deque[Mail] = deque(maxlen=KEPT_MAILS)
        self._ids = count(1)
        self._lock = RLock()

    def keep(self, sender: str, recipients: tuple[str, ...], source: bytes) -> Mail:
        """Take a mail apart and keep it."""
        message = message_from_bytes(source, policy=policy.default)
        with self._lock:
            mail = Mail(
                mail_id=next(self._ids),
                received_at=self._clock(),
                sender=sender,
                recipients=recipients,
                subject=str(message["subject"] or "(no subject)"),
                plain=_part(message, "plain"),
                html=_part(message, "html"),
                attachments=tuple(_attachment(part, number) for number, part in enumerate(message.iter_attachments(), 1)),
                source=source,
            )
            self._mails.append(mail)
        return mail

    def mails(self) -> list[Mail]:
        """Return the mails, the newest first."""
        with self._lock:
            return list(reversed(self._mails))

    def mail(self, mail_id: int) -> Mail | None:
        """Return one mail, or None when it is not kept."""
        with self._lock:
            return next((mail for mail in self._mails if mail.mail_id == mail_id), None)

    def clear(self) -> None:
        """Throw all mails away."""
        with self._lock:
            self._mails.clear()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Accept a mail from the SMTP server."""
        del server, session
        content = envelope.content
        source = content if isinstance(content, bytes) else (content or "").encode()
        self.keep(envelope.mail_from or "", tuple(envelope.rcpt_tos), source)
        return "250 OK"


async def open_mail_server(mailbox: Mailbox, listening: socket.socket) -> asyncio.Server:
    """Accept SMTP on a bound socket, in the running loop."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(mailbox, loop=loop, enable_SMTPUTF8=True, data_size_limit=LARGEST_MAIL_BYTES, ident="sandbox"),
        sock=listening,
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    content = part.get_content()
    return content if isinstance(content, str) else None


def _attachment(part: EmailMessage, number: int) -> Attachment:
    content = part.get_payload(decode=True)
    return Attachment(
        name=part.get_filename() or f"attachment-{number}",
        content_type=part.get_content_type(),
        content=content if isinstance(content, bytes) else b"",
    )
