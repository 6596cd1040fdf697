"""What to watch a gateway with, an overview and alert rules: ``python -m dashboards`` writes them."""

from pathlib import Path
from typing import Final

#: Where the files lie that are made here, and the chart's copies: a chart reads nothing outside of itself.
HERE: Final = Path(__file__).parent
FILES: Final = HERE.parent / "helm" / "polyculture" / "files"
