import pytest

from order_sync.masking import mask_email, mask_phone, one_line


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("ora.castellan@mailbox.example", "o•••@mailbox.example"),
        ("  o@x.example ", "o•••@x.example"),
        ("two@at@x.example", "t•••@x.example"),
        ("no address", "•••"),
        ("@x.example", "•••"),
        ("", None),
        (None, None),
    ],
)
def test_an_email_shows_its_first_letter_and_its_domain(email: str | None, shown: str | None):
    assert mask_email(email) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("(305) 555-0142", "••• 0142"), ("+1 305 555 0142", "••• 0142"), ("555", "•••"), ("ask", "•••"), ("", None), (None, None)],
)
def test_a_phone_shows_its_last_four_digits(phone: str | None, shown: str | None):
    assert mask_phone(phone) == shown


def test_what_somebody_typed_is_one_short_line():
    assert one_line("  Ora\n\tCastellan \u202eevil\x00 ") == "Ora Castellan evil"
    assert one_line("x" * 10_000) == "x" * 100
    assert one_line(" \n ") is None
