"""`python -m mailsrv` is `mailsrv`."""

import sys

from mailsrv.command import main

sys.exit(main())
