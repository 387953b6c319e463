"""All tables of one hard day each, together."""

from __future__ import annotations

from tests.integration.sync.guards.breaking import Break
from tests.integration.sync.guards.controls import CONTROLS, COVERED, Control
from tests.integration.sync.guards.decision_controls import DECISION_CONTROLS, DECISION_COVERED
from tests.integration.sync.guards.ground import Schedule
from tests.integration.sync.guards.outcome_controls import OUTCOME_CONTROLS, OUTCOME_COVERED
from tests.integration.sync.guards.people_controls import PEOPLE_CONTROLS, PEOPLE_COVERED
from tests.integration.sync.guards.restore_controls import RESTORE_CONTROLS

EVERY_CONTROL: dict[str, Control] = {**CONTROLS, **OUTCOME_CONTROLS, **PEOPLE_CONTROLS, **DECISION_CONTROLS, **RESTORE_CONTROLS}
"""Every mutant by its name."""

EVERY_COVERED: list[tuple[str, tuple[Break, Schedule]]] = [
    *COVERED.items(),
    *OUTCOME_COVERED.items(),
    *PEOPLE_COVERED.items(),
    *DECISION_COVERED.items(),
]
"""Guards that another one covers: broken alone, the day still ends well (docs/guards.md says why they stay)."""
