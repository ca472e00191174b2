"""`python -m ringback`."""

import sys

from ringback.cli import main

if __name__ == "__main__":
    sys.exit(main())
