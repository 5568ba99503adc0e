"""Point-in-time joins on Arrow tables: what was known at a prediction time, and nothing else.

>>> from nightjar.asof import Facts, Latest, Windowed, join
"""

from nightjar.asof.definitions import Clocks, Facts, Latest, Windowed
from nightjar.asof.join import join

__all__ = ["Clocks", "Facts", "Latest", "Windowed", "join"]
