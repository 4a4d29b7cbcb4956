"""`python -m parley_client` is the `parley` command."""

import sys

from parley_client.cli import main

sys.exit(main())
