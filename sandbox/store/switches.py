"""How this store behaves where versions and settings of real ones differ (store contract section 9)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class InputLimits(BaseModel):
    """The Web API input limits of an installation that has them switched on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Annotated[int, Field(ge=1)] = 20
    max: Annotated[int, Field(ge=1)] = 300


class StoreSwitches(BaseModel):
    """Every switch of one store; changed over HTTP with `PUT /control/switches` while it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_overflow: Literal["empty", "last"] = "empty"
    """What stands beyond the last page: nothing (2.4), or the last page again (2.3)."""
    bearer_integration: bool = True
    """Whether the integration's token may be used as a plain bearer token; off by default in a real 2.4.4 and later."""
    oauth_clock_seconds: Annotated[float, Field(gt=0)] = 600
    """How far an OAuth timestamp may be off."""
    input_limits: InputLimits | None = None
    comment_policy: Literal["null_status", "refuse_change", "same_state"] = "same_state"
    """What a comment's `status` does: old versions, 2.4.7, later ones (contract section 4)."""
    child_price: Literal["zero", "copy"] = "zero"
    """What the child row of a configurable product shows."""
    extattrs_in_list: bool = True
    """Whether the modules' extension attributes appear in lists, or in single reads only."""
    unknown_field: Literal[400, 500] = 500
    """How a filter on an unknown column fails."""
    token_ttl_seconds: Annotated[float, Field(gt=0)] = 4 * 3600
    """How long an admin token lives."""
    float_17: bool = False
    """Whether numbers are printed with 17 digits: 122.09999999999999."""
    sync_module: bool = True
    """Whether the module with the sync-status routes is installed."""
    has_entity_save: bool = True
    """Whether `POST /V1/orders` is answered."""
    refund_order: Literal["order_first", "memo_first"] = "order_first"
    """Which of the two rows of a refund can be seen first."""
    refund_gap_seconds: Annotated[float, Field(ge=0)] = 0
    """How long after the first row the other one can be seen."""
    commit_lag_seconds: Annotated[float, Field(ge=0)] = 0
    """How long a changed order stays as it was for readers although its `updated_at` already lies in the past."""
    clock_skew_seconds: float = 0
    """How far the `Date` header is off."""
    latency_seconds: Annotated[float, Field(ge=0)] = 0
    """How long every answer takes."""
