"""Sixteen trajectories side by side: the one module of explicit vector code, read when a kernel is compiled.

Kernels name what is here through `lanes`.

`Lanes` is a value of sixteen float64, one for each of sixteen trajectories, that kernels name, add and compare like a
number.  Numba's compiler vectorises no loop over several arrays, because it cannot rule out that they overlap; a value
of this type is in registers by construction (two of AVX-512, four of AVX2, eight of NEON), and an operation is one
instruction on each of them.

Every operation treats a lane alone and is rounded as IEEE 754 asks; `fma` rounds once.  So a lane gives the bits that
the same formula gives for a lone float64, on every machine, whatever the other lanes hold::

    x = load(work, 3)                     # row 3 of a (rows, WIDTH) array
    y = fma(splat(0.5), x, splat(1.0))    # x/2 + 1 in each lane
    store(work, 4, select(y > x, y, x))

Comparisons give a `Mask`, for `select`, ``&``, ``|``, ``~`` and `anywhere`.  Both types live inside kernels only.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from .lanes import WIDTH

SQRT_HALF = 0x3FE6A09E00000000  # bits of sqrt(1/2), cut to 20 of its fraction

_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(1), WIDTH)


class Lanes(types.Type):
    """Numba type of sixteen float64."""


class Mask(types.Type):
    """Numba type of sixteen truth values."""


lanes, mask = Lanes("Lanes"), Mask("Mask")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _DOUBLES)


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _BITS)


def _operator(symbol: Any, result: Any, *operands: Any) -> Any:
    """Let `symbol` act on these types by the builder's instruction that the decorated function writes.

    A number beside lanes stands for itself in every lane.
    """
    kinds = [operands]
    if operands == (lanes, lanes):
        kinds += [(types.float64, lanes), (lanes, types.float64)]

    class Template(ConcreteTemplate):
        key = symbol
        cases = [signature(result, *kind) for kind in kinds]

    infer_global(symbol)(Template)

    def declare(write: Any) -> Any:
        for kind in kinds:

            @lower_builtin(symbol, *kind)
            def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                spread = (
                    _spread(builder, arg) if operand == types.float64 else arg
                    for operand, arg in zip(sig.args, args, strict=True)
                )
                return write(builder, *spread)

        return write

    return declare


def _spread(builder: Any, x: Any) -> Any:
    """Write the instructions that repeat a number in every lane."""
    undefined = ir.Constant(_DOUBLES, ir.Undefined)
    first = builder.insert_element(undefined, x, ir.IntType(32)(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


_operator(operator.add, lanes, lanes, lanes)(lambda builder, a, b: builder.fadd(a, b))
_operator(operator.sub, lanes, lanes, lanes)(lambda builder, a, b: builder.fsub(a, b))
_operator(operator.mul, lanes, lanes, lanes)(lambda builder, a, b: builder.fmul(a, b))
_operator(operator.truediv, lanes, lanes, lanes)(lambda builder, a, b: builder.fdiv(a, b))
_operator(operator.neg, lanes, lanes)(lambda builder, a: builder.fneg(a))
_operator(operator.gt, mask, lanes, lanes)(lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_operator(operator.ge, mask, lanes, lanes)(lambda builder, a, b: builder.fcmp_ordered(">=", a, b))
_operator(operator.lt, mask, lanes, lanes)(lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_operator(operator.le, mask, lanes, lanes)(lambda builder, a, b: builder.fcmp_ordered("<=", a, b))
_operator(operator.and_, mask, mask, mask)(lambda builder, a, b: builder.and_(a, b))
_operator(operator.or_, mask, mask, mask)(lambda builder, a, b: builder.or_(a, b))
_operator(operator.invert, mask, mask)(lambda builder, a: builder.not_(a))


@intrinsic
def splat(typing: Any, x: Any) -> Any:
    """Return x in every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return lanes(types.float64), generate


@intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once; of three lanes or of three float64."""
    kind, name = (lanes, f"llvm.fma.v{WIDTH}f64") if lanes in (a, b, c) else (types.float64, "llvm.fma.f64")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.get_value_type(kind)
        function = get_or_insert_function(builder.module, ir.FunctionType(number, [number] * 3), name)
        return builder.call(function, args)

    return kind(kind, kind, kind), generate


@intrinsic
def ceil(typing: Any, x: Any) -> Any:
    """Return the smallest whole number that is not below x, in each lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = get_or_insert_function(
            builder.module, ir.FunctionType(_DOUBLES, [_DOUBLES]), f"llvm.ceil.v{WIDTH}f64"
        )
        return builder.call(function, args)

    return lanes(lanes), generate


def _above(builder: Any, x: Any) -> tuple[Any, Any]:
    """Bits of positive normal x above those of sqrt(1/2), and the integer type they are of."""
    width = ir.IntType(64) if x.type == ir.DoubleType() else ir.VectorType(ir.IntType(64), WIDTH)
    return builder.sub(builder.bitcast(x, width), _every(width, SQRT_HALF)), width


def _every(width: Any, value: int) -> Any:
    """The same whole number, in every lane if there are lanes."""
    return width(value) if width == ir.IntType(64) else ir.Constant(width, [value] * WIDTH)


@intrinsic
def exponent(typing: Any, x: Any) -> Any:
    """Return the k of x = 2^k f, sqrt(1/2) <= f < sqrt(2), of lanes or of a float64; x positive and normal."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        above, width = _above(builder, args[0])
        return builder.sitofp(builder.ashr(above, _every(width, 52)), args[0].type)

    return x(x), generate


@intrinsic
def fraction(typing: Any, x: Any) -> Any:
    """Return the f of x = 2^k f, sqrt(1/2) <= f < sqrt(2), of lanes or of a float64; x positive and normal."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        above, width = _above(builder, args[0])
        bits = builder.add(builder.and_(above, _every(width, 2**52 - 1)), _every(width, SQRT_HALF))
        return builder.bitcast(bits, args[0].type)

    return x(x), generate


@intrinsic
def select(typing: Any, where: Any, yes: Any, no: Any) -> Any:
    """Return the lanes of `yes` where the mask is set, of `no` elsewhere."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return lanes(mask, lanes, lanes), generate


@intrinsic
def anywhere(typing: Any, where: Any) -> Any:
    """Tell whether the mask is set in any lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", bits, ir.IntType(WIDTH)(0))

    return types.boolean(mask), generate


@intrinsic
def number_set(typing: Any, where: Any) -> Any:
    """Return in how many lanes the mask is set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(WIDTH))
        count = get_or_insert_function(builder.module, ir.FunctionType(bits.type, [bits.type]), f"llvm.ctpop.i{WIDTH}")
        return builder.zext(builder.call(count, [bits]), ir.IntType(64))

    return types.int64(mask), generate


@intrinsic
def item(typing: Any, array: Any, k: Any) -> Any:
    """Return element k of a C-contiguous array of one dimension, a number or a record.

    Numba lets a signed index count from the end and asks for its sign every time; this one does not.
    """
    if not (isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"):
        raise TypeError(f"items are taken from C-contiguous arrays of one dimension, not from {array}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array_type = signature.args[0]
        data = context.make_array(array_type)(context, builder, args[0]).data
        return context.unpack_value(builder, array_type.dtype, builder.gep(data, [args[1]]))

    return array.dtype(array, types.int64), generate


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    """Address of a row of a C-contiguous (rows, WIDTH) float64 array, as one vector."""
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.mul(row, ir.IntType(64)(WIDTH))
    return builder.bitcast(builder.gep(data, [start]), _DOUBLES.as_pointer())


def _check(array: Any) -> None:
    if not (isinstance(array, types.Array) and array.dtype == types.float64 and array.layout == "C"):
        raise TypeError(f"lanes are loaded from C-contiguous float64 arrays of shape (rows, {WIDTH}), not from {array}")


@intrinsic
def load(typing: Any, array: Any, row: Any) -> Any:
    """Return row `row` of a C-contiguous (rows, WIDTH) float64 array."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_pointer(context, builder, signature.args[0], args[0], args[1]))
        value.align = 8
        return value

    return lanes(array, types.int64), generate


@intrinsic
def store(typing: Any, array: Any, row: Any, value: Any) -> Any:
    """Write `value` into row `row` of a C-contiguous (rows, WIDTH) float64 array."""
    _check(array)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        written = builder.store(args[2], _pointer(context, builder, signature.args[0], args[0], args[1]))
        written.align = 8
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), generate
