"""Let the database itself refuse what would lose the trace of a payment (reliability 3.2 and S5).

The steps below are a copy: a revision says what was true when it was written. A test compares them with
`statuses.ALLOWED_STEPS`; a step that is new needs a revision that replaces `orders_step_is_allowed`. On SQLite a batch
change of a table drops its triggers, so a revision that makes one creates them again.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STEPS = {
    "received": ("waiting", "creating", "matched", "queued", "nothing_to_post"),
    "waiting": ("received", "queued", "nothing_to_post"),
    "creating": ("received", "matched", "queued"),
    "matched": ("received", "waiting", "intent", "confirmed", "queued", "nothing_to_post", "closed_voided"),
    "intent": ("matched", "unknown", "confirmed", "queued"),
    "unknown": ("confirmed", "queued", "closed_voided"),
    "confirmed": ("queued", "closed_voided"),
    "queued": ("received", "waiting", "matched", "confirmed", "nothing_to_post", "disabled", "closed", "closed_voided"),
    "nothing_to_post": ("received", "waiting", "queued"),
    "closed": ("received",),
    "closed_voided": ("matched",),
}

STEP_MESSAGE = "orders: no such step"
VERSION_MESSAGE = "orders: a step raises the version, and nothing lowers it"
HISTORY_MESSAGE = "order_history: rows are only ever added"
ATTEMPT_KEPT_MESSAGE = "attempts: rows are never removed"
ATTEMPT_MESSAGE = "attempts: an intent does not change, and its outcome is recorded once"
PAYMENT_KEPT_MESSAGE = "payments: what was attempted is never removed"
PAYMENT_MESSAGE = "payments: key and marker do not change once an attempt exists"

INTENT_COLUMNS = ("attempt_id", "order_id", "kind", "fence", "request_sha256", "intended_at", "deadline")
PAYMENT_KEYS = ("order_id", "posting_key", "marker")

WRONG_STEP = "OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({steps})".format(
    steps=", ".join(f"'{old}>{new}'" for old, targets in STEPS.items() for new in targets)
)
WRONG_VERSION = "NEW.version < OLD.version OR (NEW.state <> OLD.state AND NEW.version = OLD.version)"
ATTEMPTED = "EXISTS (SELECT 1 FROM attempts WHERE attempts.order_id = OLD.order_id AND attempts.kind = 'payment')"


def _any_changed(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{column} <> OLD.{column}" for column in columns)


WRONG_ATTEMPT = f"OLD.outcome IS NOT NULL OR NEW.outcome IS NULL OR {_any_changed(INTENT_COLUMNS)}"
WRONG_PAYMENT = f"({_any_changed(PAYMENT_KEYS)}) AND {ATTEMPTED}"

GUARDS = (
    # trigger, table, event, what is refused, what the refusal says
    ("orders_step_is_allowed", "orders", "UPDATE", WRONG_STEP, STEP_MESSAGE),
    ("orders_version_grows", "orders", "UPDATE", WRONG_VERSION, VERSION_MESSAGE),
    ("order_history_is_not_changed", "order_history", "UPDATE", "true", HISTORY_MESSAGE),
    ("order_history_is_kept", "order_history", "DELETE", "true", HISTORY_MESSAGE),
    ("attempts_outcome_is_set_once", "attempts", "UPDATE", WRONG_ATTEMPT, ATTEMPT_MESSAGE),
    ("attempts_are_kept", "attempts", "DELETE", "true", ATTEMPT_KEPT_MESSAGE),
    ("payments_keys_are_frozen", "payments", "UPDATE", WRONG_PAYMENT, PAYMENT_MESSAGE),
    ("payments_are_kept", "payments", "DELETE", ATTEMPTED, PAYMENT_KEPT_MESSAGE),
)
NEVER_EMPTIED = (
    # PostgreSQL alone knows TRUNCATE, which no row trigger sees.
    ("order_history_is_not_emptied", "order_history", HISTORY_MESSAGE),
    ("attempts_are_not_emptied", "attempts", ATTEMPT_KEPT_MESSAGE),
)


def upgrade() -> None:
    """Create the triggers; both databases report a refusal as an integrity error."""
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Drop the triggers."""
    on_postgres = op.get_bind().dialect.name == "postgresql"
    for name, table, *_ in GUARDS:
        op.execute(f"DROP TRIGGER {name} ON {table}" if on_postgres else f"DROP TRIGGER {name}")
    if on_postgres:
        for name, table, _ in NEVER_EMPTIED:
            op.execute(f"DROP TRIGGER {name} ON {table}")
        for name, *_ in (*GUARDS, *NEVER_EMPTIED):
            op.execute(f"DROP FUNCTION {name}()")


def _guard_sqlite() -> None:
    for name, table, event, refused, message in GUARDS:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {refused} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )


def _guard_postgres() -> None:
    for name, table, event, refused, message in GUARDS:
        result = "OLD" if event == "DELETE" else "NEW"
        body = f"IF {refused} THEN {_refusal(message)} END IF; RETURN {result};"
        _create_postgres_trigger(name, f"BEFORE {event} ON {table} FOR EACH ROW", body)
    for name, table, message in NEVER_EMPTIED:
        _create_postgres_trigger(name, f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", _refusal(message))


def _refusal(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"


def _create_postgres_trigger(name: str, when: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
    op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()")
