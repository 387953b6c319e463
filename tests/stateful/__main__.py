"""`python -m tests.stateful`: what `make test-simulation` runs."""

import sys

from tests.stateful.many import main

if __name__ == "__main__":
    sys.exit(main())
