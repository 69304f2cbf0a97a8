"""Ranking as plain numerics: numpy, scipy and numba, and no Django.

Numba compiles a function anew when its own file has changed, but not when that of a function it
calls has: what it would then load can end the process. So each state of these files has a cache of
its own.
"""

from hashlib import blake2b
from pathlib import Path

import numba

_here = Path(__file__).parent
_sources = blake2b(digest_size=8)
for _file in sorted(_here.glob("*.py")):
    _sources.update(_file.read_bytes())
_settings = vars(numba.config)  # which numba fills at run time
_settings["CACHE_DIR"] = str(
    Path(_settings["CACHE_DIR"] or _here / "__pycache__") / f"compiled-{_sources.hexdigest()}"
)
