import sys

import numpy as np
import pytest

from nightjar.runtime import memory


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_is_that_since_it_was_forgotten():
    size = 96 * 2**20
    np.ones(3 * size, np.uint8)
    memory.forget_peak()
    before = memory.peak()

    np.ones(size, np.uint8)

    assert size * 0.8 < memory.peak() - before < size * 1.5
