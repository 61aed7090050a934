"""Kernels of the factor models and of the repeat baseline."""

from __future__ import annotations

import numpy as np

from mutua.core.jit import kernel, parallel_kernel, prange


@kernel
def repeats(pair, time, now, edges, half_life, observed, expected):
    """Counts repeats by gap, and what a steady rate of the decayed own count would give.

    Rows are occasions in order of (pair, time). Between two of them, or the last and `now`, a repeat was possible.
    """
    own = 0.0
    for row in range(len(pair)):
        first = row == 0 or pair[row] != pair[row - 1]
        faded = 0.0 if first else own * 2.0 ** (-(time[row] - time[row - 1]) / half_life)
        own = 1.0 + faded
        repeated = row + 1 < len(pair) and pair[row + 1] == pair[row]
        gap = (time[row + 1] if repeated else now) - time[row]
        for b in range(len(edges) - 1):
            if gap <= edges[b]:
                break
            span = min(gap, edges[b + 1]) - edges[b]
            expected[b] += own * span * 2.0 ** (-(edges[b] + 0.5 * span) / half_life)
            if repeated and gap <= edges[b + 1]:
                observed[b] += 1.0


@kernel
def factorised(matrix):
    """Overwrites the upper triangle of a positive definite matrix by U with UᵀU = matrix."""
    size = len(matrix)
    for k in range(size):
        root = np.sqrt(matrix[k, k])
        for j in range(k, size):
            matrix[k, j] /= root
        for i in range(k + 1, size):
            factor = matrix[k, i]
            for j in range(i, size):
                matrix[i, j] -= factor * matrix[k, j]


@kernel
def solved(upper, right):
    """Overwrites `right` by the solution of UᵀU x = right."""
    size = len(upper)
    for k in range(size):
        right[k] /= upper[k, k]
        for j in range(k + 1, size):
            right[j] -= right[k] * upper[k, j]
    for k in range(size - 1, -1, -1):
        total = right[k]
        for j in range(k + 1, size):
            total -= upper[k, j] * right[j]
        right[k] = total / upper[k, k]


@parallel_kernel
def ridge(start, item, weight, factors, base, scale, penalty, solution):
    """Solves (base + Σ weight · f fᵀ + scale[row] · diag(penalty)) x = solution[row] for every row, in place."""
    size = factors.shape[1]
    for row in prange(len(start) - 1):
        matrix = base.copy()
        for k in range(size):
            matrix[k, k] += scale[row] * penalty[k]
        for place in range(start[row], start[row + 1]):
            vector = factors[item[place]]
            for i in range(size):
                factor = weight[place] * vector[i]
                for j in range(i, size):
                    matrix[i, j] += factor * vector[j]
        factorised(matrix)
        solved(matrix, solution[row])


@kernel
def dot(left, right):
    """Inner product in eight independent sums, which the compiler may hold in one vector register."""
    size = len(left)
    a = b = c = d = e = f = g = h = left.dtype.type(0.0)
    whole = size - size % 8
    for k in range(0, whole, 8):
        a += left[k] * right[k]
        b += left[k + 1] * right[k + 1]
        c += left[k + 2] * right[k + 2]
        d += left[k + 3] * right[k + 3]
        e += left[k + 4] * right[k + 4]
        f += left[k + 5] * right[k + 5]
        g += left[k + 6] * right[k + 6]
        h += left[k + 7] * right[k + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for k in range(whole, size):
        total += left[k] * right[k]
    return total


@kernel
def applied(item, weight, others, gram, scale, direction, out):
    """out = (gram + Σ weight · f fᵀ + scale · I) · direction."""
    size = len(direction)
    for k in range(size):
        out[k] = scale * direction[k]
    for k in range(size):
        factor, line = direction[k], gram[k]
        for j in range(size):
            out[j] += factor * line[j]
    for place in range(len(item)):
        vector = others[item[place]]
        amount = weight[place] * dot(vector, direction)
        for j in range(size):
            out[j] += amount * vector[j]


@parallel_kernel
def descend(start, item, weight, others, gram, scale, steps, rows):
    """Takes conjugate-gradient steps from every row of `rows` towards the ridge solution with all targets 1."""
    size = others.shape[1]
    for row in prange(len(start) - 1):
        items, weights = item[start[row] : start[row + 1]], weight[start[row] : start[row + 1]]
        solution = rows[row]
        image = np.empty(size, others.dtype)
        applied(items, weights, others, gram, scale[row], solution, image)
        rest = -image
        for place in range(len(items)):
            vector = others[items[place]]
            for j in range(size):
                rest[j] += weights[place] * vector[j]
        direction = rest.copy()
        length = dot(rest, rest)
        for _ in range(steps):
            if length < 1e-20:
                break
            applied(items, weights, others, gram, scale[row], direction, image)
            step = length / dot(direction, image)
            for j in range(size):
                solution[j] += step * direction[j]
                rest[j] -= step * image[j]
            longer = dot(rest, rest)
            turn = longer / length
            length = longer
            for j in range(size):
                direction[j] = rest[j] + turn * direction[j]
