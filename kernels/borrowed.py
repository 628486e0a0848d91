"""Kernels that only borrow their arrays, and tuples that are lent by address.

Numba counts references to every array that a kernel takes out of a tuple or hands to another kernel, by two atomic
additions each time.  That is 10 ns on an idle machine, and far more when two threads read the same table, whose counter
then travels between their cores.  A kernel that neither creates nor keeps an array needs no counting: its caller holds
them all.  Numba refuses to compile a `borrowed` kernel that nevertheless creates one.

A tuple of thirty arrays is handed on as two hundred numbers, which costs a microsecond per call and a minute to
compile.  `lend` puts it in the frame of the outermost kernel and hands on its address, and ``lent.field`` reads as on
the tuple itself::

    @inner
    def look(lent, k):
        return lent.energy[k]

    @borrowed
    def outer(tables, k):
        return look(lend(tables), k)

A loan ends when the kernel that made it returns.
"""

from functools import partial

from .compile import Borrower, Kernel, kernel
from .late import late

borrowed = partial(kernel, kind=Borrower, _nrt=False)
inner = partial(kernel, kind=Kernel, _nrt=False)  # for kernels alone: half of what there is stands below the others
inlined = partial(inner, forceinline=True)  # for the smallest: a call costs 5 ns

lend = late("loans", "lend")
