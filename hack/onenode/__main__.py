"""python3 -m onenode: what hack/cluster runs."""

import sys

from .cli import main

sys.exit(main())
