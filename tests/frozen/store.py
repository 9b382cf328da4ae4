"""Where the frozen stores are, and how they are brought back to life."""

from pathlib import Path
import tests

DATA = Path(tests.__file__).parent / "data"
