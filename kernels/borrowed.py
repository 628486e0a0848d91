"""Kernels that only borrow their arrays, and tuples that are lent by address.

Numba counts references to every array that a kernel takes out of a tuple or hands to another kernel, by two atomic
additions each time.  That is 10 ns on an idle machine, and far more when two threads read the same table, whose counter
then travels between their cores.  A kernel that neither creates nor keeps an array needs no counting: its caller holds
them all.  Numba refuses to compile a `borrowed` kernel that nevertheless creates one.

A tuple of thirty arrays is handed on as two hundred numbers, which costs a microsecond per call and a minute to
compile.  `lend` puts it in the frame of the outermost kernel and hands on its address, and ``lent.field`` reads as on
the tuple itself::

    @borrowed
    def inner(lent, k):
        return lent.energy[k]

    @borrowed
    def outer(tables, k):
        return inner(lend(tables), k)

A loan ends when the kernel that made it returns.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.registry import CPUDispatcher
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, lower_getattr_generic, models, register_model

from .compile import kernel

borrowed = kernel(_nrt=False, no_cfunc_wrapper=True)


class Inner(CPUDispatcher):
    """A compiled function without the part that Python could call."""

    def __call__(self, *arguments: Any) -> Any:
        """Refuse: Python has no address of a tuple, and no lanes, to call it with."""
        raise TypeError(f"{self.py_func.__name__} can only be called by kernels: write a kernel that does")


def inner(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile as `borrowed`, for kernels alone: neither callable from Python nor kept on disk.

    Half of what there is to compile stands below the kernels that Python calls, whose machine code contains it.
    """
    if function is None:
        return lambda f: inner(f, **options)
    settings = {"nopython": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    settings |= {"no_cfunc_wrapper": True, "no_cpython_wrapper": True}
    return Inner(function, targetoptions=settings | options)


inlined = inner(forceinline=True)  # for the smallest: a call costs 5 ns


class Lent(types.Type):
    """Numba type of the address of a named tuple."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        super().__init__(f"Lent({owner})")


@register_model(Lent)
class _LentModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        owner = manager.lookup(numba_type.owner).get_value_type()
        super().__init__(manager, numba_type, owner.as_pointer())


@intrinsic
def lend(typing: Any, owner: Any) -> Any:
    """Return the address of a copy of a named tuple that lives until the calling kernel returns."""
    if not isinstance(owner, types.BaseNamedTuple):
        raise TypeError(f"only a named tuple can be lent, not {owner}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with builder.goto_entry_block():
            place = builder.alloca(args[0].type)
        builder.store(args[0], place)
        return place

    return Lent(owner)(owner), generate


@infer_getattr
class _LentAttribute(AttributeTemplate):
    key = Lent

    def generic_resolve(self, lent: Any, name: str) -> Any:
        if name not in lent.owner.fields:
            return None
        return lent.owner.types[lent.owner.fields.index(name)]


@lower_getattr_generic(Lent)
def _read(context: Any, builder: Any, lent: Any, place: Any, name: str) -> Any:
    index, zero = lent.owner.fields.index(name), ir.IntType(32)(0)
    return builder.load(builder.gep(place, [zero, ir.IntType(32)(index)], inbounds=True))
