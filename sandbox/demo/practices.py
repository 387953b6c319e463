"""The three invented practices: the facts that the store, Nextech and `include/practices.yaml` must agree on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class DemoPractice:
    """One practice, as its store and its Nextech know it."""

    id: str
    name: str
    time_zone: str
    practice_guid: str
    """Nextech's `nx-practice-id`."""
    location_id: str
    location_name: str
    provider_id: str
    provider_name: str
    referral_source_id: str
    own_phone: str
    """The practice's own number: staff type it when a customer has none."""
    number_prefix: str
    """The first digit of the store's order numbers, so that a demo shows at once whose order it is."""
    tax_percent: str
    """Sales tax on products; services and gift cards are untaxed."""
    city: str
    region: str
    region_code: str
    region_id: int
    postal_code: str

    @property
    def zone(self) -> ZoneInfo:
        """Return the practice's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def active_since(self) -> datetime:
        """Return the local midnight at which the integration was switched on."""
        return ACTIVE_SINCE_LOCAL.replace(tzinfo=self.zone)

    @property
    def store_token(self) -> str:
        """Return the access token of the store's integration."""
        return f"sandbox-token-{self.id}"

    @property
    def store_token_secret(self) -> str:
        """Return the OAuth 1 secret that belongs to the access token."""
        return f"sandbox-token-secret-{self.id}"

    @property
    def store_consumer_key(self) -> str:
        """Return the OAuth 1 consumer key of the store's integration."""
        return f"sandbox-consumer-{self.id}"

    @property
    def store_consumer_secret(self) -> str:
        """Return the OAuth 1 consumer secret of the store's integration."""
        return f"sandbox-consumer-secret-{self.id}"

    @property
    def nextech_user(self) -> str:
        """Return the user of the practice's Nextech connection."""
        return f"svc-{self.id}@sandbox.example"

    @property
    def nextech_password(self) -> str:
        """Return the password of that user."""
        return f"sandbox-{self.id}"


ACTIVE_SINCE_LOCAL = datetime(2026, 10, 1)  # noqa: DTZ001 - a wall-clock time; each practice reads it in its own zone
"""When every practice's integration was switched on; `include/practices.yaml` says the same."""

PAYMENT_CATEGORY = "WEB - Online Store"
CARD_TYPES = {"VI": "Visa", "MC": "MasterCard", "AE": "American Express", "DI": "Discover"}
"""The store's card code to the practices' spelling in Nextech."""
PATIENT_TYPE_ID = "4"
PATIENT_TYPE_NAME = "Retail"
PATIENT_STATUS = "patient"
REFERRAL_SOURCE_NAME = "Online Store"
NEXTECH_CLIENT_ID = "5e0d1c9a-2b7f-4c83-9a64-0f1d2e3c4b5a"
NEXTECH_RESOURCE = "https://select.nextech-api.com/api"
MEMBERSHIP_SKU_PREFIX = "DRM-MEM"
SERVICE_SKU_PREFIXES = ("DRM-CONSULT", "DRM-SVC")

EASTERN = DemoPractice(
    id="eastern",
    name="Biscayne Dermatology",
    time_zone="America/New_York",
    practice_guid="0b6f3c52-8d1e-4a7b-9c35-e1f0a2b4c601",
    location_id="3",
    location_name="Biscayne Main",
    provider_id="9107",
    provider_name="Dr. Ines Calloway",
    referral_source_id="311",
    own_phone="(305) 555-0100",
    number_prefix="1",
    tax_percent="7",
    city="Miami",
    region="Florida",
    region_code="FL",
    region_id=18,
    postal_code="33130",
)
CENTRAL = DemoPractice(
    id="central",
    name="Lakeshore Skin Center",
    time_zone="America/Chicago",
    practice_guid="3d9a7e14-5c20-4f68-b1d7-72c8e9f0a602",
    location_id="4",
    location_name="Lakeshore",
    provider_id="9208",
    provider_name="Dr. Owen Marsh",
    referral_source_id="312",
    own_phone="(312) 555-0100",
    number_prefix="2",
    tax_percent="8.25",
    city="Chicago",
    region="Illinois",
    region_code="IL",
    region_id=23,
    postal_code="60611",
)
ARIZONA = DemoPractice(
    id="arizona",
    name="Saguaro Dermatology",
    time_zone="America/Phoenix",
    practice_guid="7f2c4b80-e6a3-4d19-8e5f-93b1d0c7a603",
    location_id="5",
    location_name="Saguaro Phoenix",
    provider_id="9309",
    provider_name="Dr. Lena Whitfield",
    referral_source_id="313",
    own_phone="(602) 555-0100",
    number_prefix="3",
    tax_percent="8.6",
    city="Phoenix",
    region="Arizona",
    region_code="AZ",
    region_id=4,
    postal_code="85004",
)
PRACTICES: dict[str, DemoPractice] = {practice.id: practice for practice in (EASTERN, CENTRAL, ARIZONA)}
"""Every practice by its id."""
