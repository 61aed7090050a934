"""Profile views as sparse matrices, and what every learner of implicit feedback starts from."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mutua.errors import NotEnoughData
from mutua.events.interactions import Interactions
from mutua.models.base import Arrays, TrainingData
from mutua.profiles import fold
from mutua.profiles.encoder import NO_DECAY, Encoder
from mutua.profiles.views import Views

Transform = Literal["binary", "log", "linear"]
"""How a weight enters a matrix to learn from: 1, log2(1 + weight), or as it is; what is not positive is left out."""


def implicit_encoder(interactions: Interactions, shares: tuple[float, ...] = NO_DECAY) -> Encoder:
    """Returns the encoder that weighs events by their type alone, fading over the grid by `shares`."""
    return Encoder.of(interactions.type_weights, interactions.targets, shares=shares)


def views_matrix(views: Views, n_items: int) -> sparse.csr_matrix:
    """Returns the weights of `views` as float32 CSR [b, n_items]; items recorded after learning are left out."""
    if not len(views.item) or int(views.item.max()) < n_items:
        return sparse.csr_matrix((views.weight, views.item, views.start), shape=(len(views), n_items))
    known = views.item < n_items
    start = np.concatenate(([0], np.cumsum(known)))[views.start]
    return sparse.csr_matrix((views.weight[known], views.item[known], start), shape=(len(views), n_items))


def transformed(matrix: sparse.csr_matrix, how: Transform) -> sparse.csr_matrix:
    """Returns the positive entries of `matrix` after `how`, sorted by column.

    Example:
        >>> transformed(sparse.csr_matrix([[3.0, -1.0, 0.0]]), "log").toarray().tolist()
        [[2.0, 0.0, 0.0]]
    """
    data = np.maximum(matrix.data, 0.0)
    if how == "binary":
        data = np.sign(data)
    elif how == "log":
        data = np.log2(1.0 + data)
    result = sparse.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape, copy=True)
    result.eliminate_zeros()
    result.sort_indices()
    return result


def learning_views(data: TrainingData, encoder: Encoder) -> Views:
    """Returns the view of every user at `data.now`.

    Raises:
        NotEnoughData: code `data.too-few`; there is no unmarked target event.
    """
    if not bool(data.interactions.is_target.any()):
        raise not_enough("no interaction of a target type")
    return fold.views(data.interactions, encoder, data.now)


def learning_matrix(data: TrainingData, encoder: Encoder, how: Transform) -> sparse.csr_matrix:
    """Returns users by items, float32 CSR, after `how`.

    Raises:
        NotEnoughData: code `data.too-few`; no user has an item of positive weight.
    """
    matrix = transformed(views_matrix(learning_views(data, encoder), data.n_items), how)
    if not matrix.nnz:
        raise not_enough("no interaction of positive weight")
    return matrix


def not_enough(came: str) -> NotEnoughData:
    """Returns the error of a learner that found nothing to learn from."""
    return NotEnoughData(came, "at least one to learn from", "record more, or declare the types that count as targets")


def compressed(matrix: sparse.csr_matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Returns row starts, columns and values in the types that kernels take."""
    return matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False), matrix.data


def matrix_arrays(name: str, matrix: sparse.csr_matrix) -> Arrays:
    """Returns what `restore_matrix` needs, each array named after the matrix."""
    start, column, value = compressed(matrix)
    shape = np.array(matrix.shape, np.int64)
    return {f"{name}_start": start, f"{name}_column": column, f"{name}_value": value, f"{name}_shape": shape}


def restore_matrix(name: str, arrays: Arrays) -> sparse.csr_matrix:
    """Returns the matrix that `matrix_arrays` took apart."""
    rows, columns = (int(size) for size in arrays[f"{name}_shape"])
    parts = arrays[f"{name}_value"], arrays[f"{name}_column"], arrays[f"{name}_start"]
    return sparse.csr_matrix(parts, shape=(rows, columns))
