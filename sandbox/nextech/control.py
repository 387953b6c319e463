"""The `/control` endpoints of the sandbox's Nextech: its switches, faults and staff, and what really happened."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Request

from sandbox.nextech.books import practice_book
from sandbox.nextech.engine import Nextech
from sandbox.nextech.faults import FaultError
from sandbox.nextech.staff import StaffError, act_as_staff
from sandbox.nextech.switches import SwitchError

Json = dict[str, Any]

router = APIRouter(prefix="/control")


def _nextech(request: Request) -> Nextech:
    nextech = request.app.state.nextech
    if not isinstance(nextech, Nextech):
        msg = "the app has no Nextech"
        raise TypeError(msg)
    return nextech


Played = Annotated[Nextech, Depends(_nextech)]
JsonBody = Annotated[Json, Body()]


@router.get("/switches")
async def show_switches(nextech: Played) -> Json:
    """Show every switch."""
    return nextech.switches.as_dict()


@router.put("/switches")
async def change_switches(nextech: Played, changes: JsonBody) -> Json:
    """Change some switches; the others stay."""
    try:
        nextech.switches = nextech.switches.changed_by(changes)
    except SwitchError as error:
        raise HTTPException(400, str(error)) from error
    return nextech.switches.as_dict()


@router.get("/faults")
async def show_faults(nextech: Played) -> list[Json]:
    """Show every fault, how often it was looked at and how often it struck."""
    return nextech.faults.described()


@router.post("/faults", status_code=201)
async def plant_fault(nextech: Played, description: JsonBody) -> dict[str, int]:
    """Plant a fault: `{"effect": "timed_out_executed", "method": "POST", "route": …, "nth": 1}`."""
    try:
        return {"fault_id": nextech.faults.plant_described(description).fault_id}
    except FaultError as error:
        raise HTTPException(400, str(error)) from error


@router.delete("/faults")
async def clear_faults(nextech: Played, fault_id: int | None = None) -> list[Json]:
    """Remove one fault or all of them; show the rest."""
    nextech.faults.clear(fault_id)
    return nextech.faults.described()


@router.get("/books")
async def show_books(nextech: Played, practice: str | None = None) -> Json:
    """Show what was really booked."""
    if practice is not None and practice not in nextech.offices:
        raise HTTPException(404, "there is no such practice")
    asked = [practice] if practice is not None else list(nextech.offices)
    return {name: practice_book(nextech, name).as_dict() for name in asked}


@router.post("/staff/{action}")
async def perform_staff_action(nextech: Played, action: str, description: JsonBody) -> dict[str, str]:
    """Do what staff do in Nextech's own windows."""
    try:
        return {"id": act_as_staff(nextech, action, description)}
    except StaffError as error:
        raise HTTPException(400, str(error)) from error


@router.get("/requests")
async def count_requests(nextech: Played) -> Json:
    """Count requests by endpoint and status, and tell the worst second of every user and endpoint."""
    return {**nextech.traffic.described(), "late_count": nextech.late_count()}


@router.post("/reset")
async def reset(nextech: Played) -> dict[str, bool]:
    """Go back to the seed."""
    nextech.reset()
    return {"is_reset": True}
