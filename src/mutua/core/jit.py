"""The one way to compile a numba kernel: no Python objects inside, cached on disk, GIL released.

Kernels live in modules named `kernels`, beside the code that calls them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import prange as prange
from numba.core import cgutils, types
from numba.extending import intrinsic


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `function` compiled on first use; strict IEEE arithmetic, so results are the same on every run."""
    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    return compiled


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `function` compiled with `prange` loops over the available cores; rows must be independent."""
    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True, parallel=True)(function)
    return compiled


@intrinsic
def prefetch(_typing: Any, array: Any, place: Any) -> Any:
    """Asks the processor for the cache line that holds `array[place]`, of one dimension, and does not wait for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.bitcast(builder.gep(held.data, [arguments[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        to_read, kept, data = number(0), number(3), number(1)
        instruction = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], kind)
        builder.call(instruction, [address, to_read, kept, data])
        return context.get_dummy_value()

    return types.void(array, place), generate
