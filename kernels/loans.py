"""What the compiler must know of a tuple that is lent by address; kernels name it through `borrowed`."""

from hashlib import sha256
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, lower_getattr_generic, models, register_model


class Lent(types.Type):
    """Numba type of the address of a named tuple."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        # the full name of thirty arrays would be a part of the symbol of every function that takes the tuple
        super().__init__(f"Lent({owner.instance_class.__name__} {sha256(str(owner).encode()).hexdigest()[:16]})")


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
