"""Many operators of one size with few entries: Kraus operators of a collision that would not fit in memory dense."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse as sp

Sparse = Any
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SparseStack:
    """K operators of size k x k that behave like an array (K, k, k) where operators are taken one by one or in groups.

    Attributes
    ----------
    flat : (K, k * k) sparse
        Operator t, flattened row by row, is row t.
    k : int
    """

    flat: Sparse
    k: int

    @classmethod
    def from_entries(cls, number: int, k: int, operator: Ints, row: Ints, column: Ints, value: Any) -> "SparseStack":
        """Stack of `number` operators from their entries."""
        flat = sp.csr_array((value, (operator, row * k + column)), shape=(number, k * k), dtype=complex)
        return cls(flat, k)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, k, k)."""
        return int(self.flat.shape[0]), self.k, self.k

    def __len__(self) -> int:
        return int(self.flat.shape[0])

    def __getitem__(self, which: Any) -> Any:
        """One operator (k, k) in compressed rows, or the stack of some."""
        if isinstance(which, int | np.integer):
            start, stop = self.flat.indptr[which], self.flat.indptr[which + 1]
            place = self.flat.indices[start:stop]
            entries = (self.flat.data[start:stop], (place // self.k, place % self.k))
            return sp.csr_array(entries, shape=(self.k, self.k))
        return SparseStack(sp.csr_array(self.flat[np.asarray(which)]), self.k)

    def __iter__(self) -> Iterator[Sparse]:
        return (self[t] for t in range(len(self)))

    def entries(self) -> tuple[Ints, Ints, Ints, NDArray[np.complex128]]:
        """Operator, row, column and value of every entry."""
        coo = self.flat.tocoo()
        place = coo.col.astype(np.int64)
        return coo.row.astype(np.int64), place // self.k, place % self.k, coo.data

    def adjoint(self, factor: NDArray[np.float64]) -> "SparseStack":
        """Adjoint operators, each times its factor (K,)."""
        operator, row, column, value = self.entries()
        return SparseStack.from_entries(len(self), self.k, operator, column, row, value.conj() * factor[operator])

    def completeness(self) -> NDArray[np.complex128]:
        """(k, k) sum of K^dagger K."""
        operator, row, column, value = self.entries()
        tall = sp.csr_array((value, (operator * self.k + row, column)), shape=(len(self) * self.k, self.k))
        total: Sparse = tall.conj().T @ tall
        return np.asarray(total.toarray())
