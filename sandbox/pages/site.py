"""The sandbox's pages: server-rendered, without a script, every value escaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.mail import Mail
from sandbox.nextech.books import PracticeBook, practice_book
from sandbox.nextech.faults import Fault
from sandbox.nextech.switches import NextechSwitches
from sandbox.pages.situations import standings
from sandbox.world import World

TEMPLATES = Path(__file__).parent / "templates"
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'"
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)


def money(amount_cents: int) -> str:
    """Write cents as `$1,234.50`, a refund as `-$12.00`."""
    sign = "-" if amount_cents < 0 else ""
    return f"{sign}${abs(amount_cents) // 100:,}.{abs(amount_cents) % 100:02d}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A planted fault in words."""

    where: str
    what: str
    how_often: str


@dataclass(frozen=True, slots=True)
class PracticeCard:
    """What the start page says of one practice."""

    id: str
    name: str
    time_zone: str
    total_cents: int
    payment_count: int
    doubled_count: int
    order_count: int


class Site:
    """Render the pages of one world."""

    def __init__(self, world: World) -> None:
        """Load the templates."""
        self._world = world
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters["money"] = money

    def page(self, template: str, section: str, **values: object) -> HTMLResponse:
        """Return one page."""
        text = self._environment.get_template(template).render(
            section=section, now=f"{datetime.now(UTC):%Y-%m-%d %H:%M}", seed=self._world.options.seed, **values
        )
        return HTMLResponse(text, headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"})

    def books(self) -> list[PracticeBook]:
        """Return the book of every practice."""
        return [practice_book(self._world.nextech, practice_id) for practice_id in self._world.nextech.offices]

    def book(self, practice_id: str) -> PracticeBook:
        """Return one practice's book, or answer 404."""
        if practice_id not in self._world.nextech.offices:
            raise HTTPException(404, "There is no such practice.")
        return practice_book(self._world.nextech, practice_id)

    def mail(self, mail_id: int) -> Mail:
        """Return one mail, or answer 404."""
        mail = self._world.mailbox.mail(mail_id)
        if mail is None:
            raise HTTPException(404, "This mail is not kept.")
        return mail

    def cards(self) -> list[PracticeCard]:
        """Return the practices for the start page."""
        return [
            PracticeCard(
                id=book.practice_id,
                name=book.name,
                time_zone=book.time_zone,
                total_cents=book.total_cents,
                payment_count=len(book.payments),
                doubled_count=len(book.doubled),
                order_count=len(self._world.shops[book.practice_id].orders),
            )
            for book in self.books()
        ]

    def troubles(self) -> list[Trouble]:
        """Return every fault that can still strike, Nextech's and the stores'."""
        ours = [_trouble("Nextech", fault) for fault in self._world.nextech.faults.faults if fault.remaining != 0]
        stores = [
            Trouble(
                f"Store {name}, {fault.method or 'any method'} {fault.route or 'any route'}",
                fault.effect,
                _times(fault.remaining),
            )
            for name, shop in self._world.shops.items()
            for fault in shop.faults.faults()
            if fault.remaining != 0
        ]
        return ours + stores


def _trouble(where: str, fault: Fault) -> Trouble:
    scope = f"{where}, {fault.method or 'any method'} {fault.route or 'any route'}"
    scope += f", practice {fault.practice}" if fault.practice else ""
    often = f"request {fault.nth}" if fault.nth is not None else _times(fault.remaining)
    if fault.probability is not None:
        often += f", with probability {fault.probability:g}"
    return Trouble(scope, fault.effect, f"{often} (struck {fault.struck})")


def _times(remaining: int | None) -> str:
    return "always" if remaining is None else f"{remaining} more"


def _changed(switches: NextechSwitches) -> list[Mapping[str, Any]]:
    standard = NextechSwitches().as_dict()
    changed = {name: value for name, value in switches.as_dict().items() if value != standard[name]}
    return [{"where": "Nextech", "name": name, "value": value} for name, value in changed.items()]


def create_pages(world: World) -> APIRouter:
    """Return the routes of the pages."""
    site = Site(world)
    router = APIRouter()
    _add_general(router, site, world)
    _add_books(router, site)
    _add_mails(router, site, world)
    return router


def _add_general(router: APIRouter, site: Site, world: World) -> None:
    @router.get("/style.css")
    async def style() -> Response:
        return Response((TEMPLATES / "style.css").read_bytes(), media_type="text/css")

    @router.get("/situations")
    async def situations() -> HTMLResponse:
        return site.page("situations.html", "/situations", standings=standings(world))

    @router.get("/")
    async def start(request: Request) -> HTMLResponse:
        return site.page(
            "start.html",
            "/",
            practices=site.cards(),
            mail_count=len(world.mailbox.mails()),
            smtp_port=world.smtp_port,
            faults=site.troubles(),
            changed_switches=_changed(world.nextech.switches),
            base_url=str(request.base_url).rstrip("/"),
        )


def _add_books(router: APIRouter, site: Site) -> None:
    @router.get("/books")
    async def books() -> HTMLResponse:
        return site.page("books.html", "/books", books=site.books())

    @router.get("/books/{practice_id}")
    async def book(practice_id: str) -> HTMLResponse:
        found = site.book(practice_id)
        paid = [patient for patient in found.patients if patient.payments]
        latest_first = sorted(paid, key=lambda patient: max(row.created_at for row in patient.payments), reverse=True)
        others = [patient for patient in found.patients if not patient.payments]
        return site.page("book.html", "/books", book=found, with_payments=latest_first, without_payments=others)


def _add_mails(router: APIRouter, site: Site, world: World) -> None:
    @router.get("/mail")
    async def mails() -> HTMLResponse:
        return site.page("mails.html", "/mail", mails=world.mailbox.mails(), smtp_port=world.smtp_port)

    @router.get("/mail/{mail_id}")
    async def mail(mail_id: int) -> HTMLResponse:
        return site.page("mail.html", "/mail", mail=site.mail(mail_id))

    @router.get("/mail/{mail_id}/html")
    async def html_part(mail_id: int) -> HTMLResponse:
        return HTMLResponse(site.mail(mail_id).html or "", headers={"Content-Security-Policy": MAIL_POLICY})

    @router.get("/mail/{mail_id}/source")
    async def source(mail_id: int) -> Response:
        return Response(site.mail(mail_id).source, media_type="text/plain; charset=utf-8", headers=_no_sniffing())

    @router.get("/mail/{mail_id}/files/{number}")
    async def attachment(mail_id: int, number: int) -> Response:
        files = site.mail(mail_id).attachments
        if not 1 <= number <= len(files):
            raise HTTPException(404, "There is no such file.")
        file = files[number - 1]
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        headers = {"Content-Disposition": disposition, **_no_sniffing()}
        return Response(file.content, media_type=file.content_type, headers=headers)


def _no_sniffing() -> dict[str, str]:
    return {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
