"""``python -m collide`` is ``collide``."""

import sys

from collide.cli import main

sys.exit(main())
