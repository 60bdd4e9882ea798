"""``python -m starter.cli`` is ``redress``."""

import sys

from starter.cli import main

sys.exit(main())
