"""Write the golden letters anew: `make letters`."""

from tests.unit.letters.golden import write_all

write_all()
