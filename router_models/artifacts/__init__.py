"""The built-in embedders' files, and the script that rebuilds them byte for byte (``build.py``)."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
