"""A Nextech of two practices with a clock that moves by hand, called in-process."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.nextech.engine import Nextech
from sandbox.nextech.transport import InProcessNextech
from sandbox.people import SeedPatient, SeedPayment
from tests.integration.sandbox_nextech.desk import ANA, ARIZONA, BEN, EASTERN, Desk, Wall, people


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def nextech(wall: Wall) -> Nextech:
    earlier = [SeedPayment("eastern", BEN, 5000, "2026-01-02", "by hand")]
    return Nextech([EASTERN, ARIZONA], clock=wall, seed=7, patients=people(), payments=earlier)


@pytest.fixture
def desk(nextech: Nextech, wall: Wall) -> Iterator[Desk]:
    with httpx.Client(transport=InProcessNextech(nextech, wall.wait), base_url="http://nextech.example") as client:
        yield Desk(nextech, client, EASTERN).sign_in()


@pytest.fixture
def arizona(nextech: Nextech, wall: Wall) -> Iterator[Desk]:
    nextech.seed([SeedPatient("arizona", ANA.replace("44", "99"), "30001", "Abe", "Dry")])
    with httpx.Client(transport=InProcessNextech(nextech, wall.wait), base_url="http://nextech.example") as client:
        yield Desk(nextech, client, ARIZONA).sign_in()
