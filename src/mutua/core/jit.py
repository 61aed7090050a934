"""The one way to compile a numba kernel: no Python objects inside, cached on disk, GIL released.

Kernels live in modules named `kernels`, beside the code that calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import prange as prange


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `function` compiled on first use; strict IEEE arithmetic, so results are the same on every run."""
    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    return compiled


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `function` compiled with `prange` loops over the available cores; rows must be independent."""
    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True, parallel=True)(function)
    return compiled
