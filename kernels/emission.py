"""Kernels as objects of machine code that a process without Numba can load.

Numba optimises and emits every function by itself, then links it into its callers and optimises it again there.  Here
a function that kernels call stays a draft: typed, lowered, kept as intermediate code.  Only for a kernel that Python
calls are the drafts below it linked together, once each, closed to everybody else, optimised and emitted.

The entry of such an object is ``int32 entry(int64 *words)``, with one word for each leaf of the arguments, as
`machine_code` writes them: the address of an array's object, a number's bits, nothing for None.  It makes the values
that the kernel takes, calls it, and leaves what it returns in the first words.  An array's meminfo is null: it is
borrowed.
"""

from collections.abc import Iterator
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import compiler, dispatcher
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.typing.typeof import typeof
from numba.np.arrayobj import populate_array

from . import lane_code, loans  # noqa: F401  # what kernels name must be known before one of them is typed

_Compiler: Any = dispatcher._FunctionCompiler  # type: ignore[attr-defined]
WORD = ir.IntType(64)
ARRAY_OBJECT = {"data": 0, "shape": 2, "strides": 3}  # words behind the head of an array's object, data, nd, ...
C_LIBRARY = {"sqrt", "fma", "floor", "ceil", "trunc", "memcpy", "memmove", "memset"}  # exact, and in every process
# intrinsics of LLVM that become calls of a library, whose last bit differs between machines
NOT_EXACT = {"sin", "cos", "tan", "sincos", "exp", "exp2", "exp10", "log", "log2", "log10", "pow", "powi"}


class Draft(CPUCodeLibrary):
    """Intermediate code of one function and, in `_linking_libraries`, of those that it calls."""

    _final_module: Any
    _shared_module: Any

    def _optimize_functions(self, module: Any) -> None:
        # once, when everything is linked: what comes of it is faster as well
        module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Leave everything to the kernel that Python calls."""
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        # for a kernel that Numba itself compiles: it links only what it names
        if self._shared_module is None:
            module = self._final_module.clone()
            for part in self.below():
                module.link_in(part, preserve=True)
            for function in module.functions:
                if not function.is_declaration:
                    function.linkage = "linkonce_odr"
            self._shared_module = module
        return self._shared_module

    def below(self) -> Iterator[Any]:
        """Modules of everything that is called from here, each once."""
        seen: set[Any] = {self}
        stack = list(self._linking_libraries)
        while stack:
            library = stack.pop()
            if library in seen:
                continue
            seen.add(library)
            if isinstance(library, Draft):
                stack.extend(library._linking_libraries)
                yield library._final_module
            else:
                yield library._get_module_for_linking()

    def close(self, entry: str) -> None:
        """Link what is called, let nobody else call it, and optimise."""
        for part in self.below():
            self._final_module.link_in(part, preserve=True)
        for values in (self._final_module.functions, self._final_module.global_variables):
            for value in values:
                if not value.is_declaration and value.name != entry:
                    value.linkage = "internal"
        self._optimize_final_module()
        self._final_module.verify()

    def foreign(self) -> list[str]:
        """Names that whoever loads the object would have to provide, beside the C library."""
        values = [*self._final_module.functions, *self._final_module.global_variables]
        return [value.name for value in values if value.is_declaration and not _is_given(value.name)]

    def emit(self) -> bytes:
        """Machine code of this processor."""
        return bytes(self._codegen._tm.emit_object(self._final_module))


def _is_given(name: str) -> bool:
    if name.startswith("llvm."):
        return name.split(".")[1] not in NOT_EXACT
    return name in C_LIBRARY and bool(binding.address_of_symbol(name))


class _Drafting(compiler.Compiler):
    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        super().__init__(typingctx, targetctx, Draft(targetctx.codegen(), "draft"), *rest)


class _Flags(compiler.Flags):
    def values(self) -> dict[str, Any]:
        """What the base class gives; Numba compares flags ten thousand times, and asks them one by one."""
        return _DEFAULTS | self._values


_DEFAULTS = {name: option.default for name, option in compiler.Flags.options.items()}


class _DraftCompiler(_Compiler):
    def _customize_flags(self, flags: Any) -> Any:
        flags.no_compile = True
        return _Flags(flags)


class Inner(CPUDispatcher):
    """A function of which Numba makes a draft for each signature."""

    def __init__(self, function: Any, settings: dict[str, Any]) -> None:
        wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        super().__init__(function, targetoptions={"nopython": True} | settings | wrappers)
        self._compiler = _DraftCompiler(function, self.targetdescr, self.targetoptions, self.locals, _Drafting)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Compile once for an index, whether it is a constant, counted, or read from a table of smaller integers."""
        return super().get_call_template(
            tuple(_index(kind) for kind in args), {name: _index(kind) for name, kind in kws.items()}
        )

    def add_overload(self, cres: Any) -> None:
        """Let callers find the draft: by the entry point, for which any object of its own serves."""
        cres = cres._replace(entry_point=lambda *_: None)
        self.targetctx.insert_user_function(cres.entry_point, cres.fndesc, [cres.library])
        self.overloads[tuple(cres.signature.args)] = cres


def _index(kind: Any) -> Any:
    """Type as which an argument of this type is passed: any integer that fits is an int64."""
    return types.int64 if isinstance(kind, types.Integer) and (kind.signed or kind.bitwidth < 64) else kind


def emit(inner: Inner, arguments: tuple[Any, ...], entry: str, head: int) -> tuple[str, bytes]:
    """Compile a kernel for the types of some arguments.

    Parameters
    ----------
    inner
        The kernel.
    arguments
        Those of a call.
    entry
        Name of the function in the object.
    head
        Bytes of the head of a Python object.

    Returns
    -------
    kind of the result : str
        "v" (nothing), "i" (int64), "u" (uint64), "f" (float64), "b" (bool), or "(" and those of a tuple's elements; ""
        if it returns something else, or the object would not stand by itself.
    object : bytes
    """
    with global_compiler_lock:
        argtypes = tuple(typeof(value) for value in arguments)
        inner.compile(argtypes)
        found = inner.overloads[argtypes]
        kind = _kind_of(found.signature.return_type)
        if not kind:
            return "", b""
        library = Draft(cpu_target.target_context.codegen(), entry)
        library.add_ir_module(_entry(library, found.fndesc, entry, head))
        library.add_linking_library(found.library)
        library.close(entry)
        return ("", b"") if library.foreign() else (kind, library.emit())


NUMBERS = {types.int64: "i", types.uint64: "u", types.float64: "f", types.boolean: "b"}


def _kind_of(result: Any) -> str:
    if isinstance(result, types.BaseTuple) and not isinstance(result, types.BaseNamedTuple):
        known = all(part in NUMBERS for part in result.types)
        return "(" + "".join(NUMBERS[part] for part in result.types) if known else ""
    return "v" if result == types.none else NUMBERS.get(result, "")


def _entry(library: Draft, fndesc: Any, entry: str, head: int) -> Any:
    """Write the function that Python calls."""
    context = cpu_target.target_context
    module = library.create_ir_module(entry)
    function = ir.Function(module, ir.FunctionType(ir.IntType(32), [WORD.as_pointer()]), entry)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    words = _Words(context, builder, function.args[0], head)
    values = [words.value(kind) for kind in fndesc.argtypes]
    kernel = context.declare_function(module, fndesc)
    status, result = context.call_conv.call_function(builder, kernel, fndesc.restype, fndesc.argtypes, values)
    if isinstance(fndesc.restype, types.BaseTuple):
        results = [builder.extract_value(result, k) for k in range(len(fndesc.restype))]
    else:
        results = [] if fndesc.restype == types.none else [result]
    for k, number in enumerate(results):
        word = builder.zext(number, WORD) if number.type == ir.IntType(1) else builder.bitcast(number, WORD)
        builder.store(word, builder.gep(function.args[0], [WORD(k)]))
    builder.ret(builder.zext(status.is_error, ir.IntType(32)))
    return module


class _Words:
    """Reads one word after the other."""

    def __init__(self, context: Any, builder: Any, words: Any, head: int) -> None:
        self.context, self.builder, self.words, self.head, self.read = context, builder, words, head, 0

    def value(self, kind: Any) -> Any:
        """Make the next argument from its words."""
        if isinstance(kind, types.BaseTuple):
            return self.context.make_tuple(self.builder, kind, [self.value(part) for part in kind.types])
        word = self.builder.load(self.builder.gep(self.words, [WORD(self.read)]))
        self.read += 1
        if isinstance(kind, types.Array):
            return self._array(kind, word)
        if kind == types.none:
            return self.context.get_dummy_value()
        wanted = self.context.get_value_type(kind)
        return self.builder.trunc(word, wanted) if kind == types.boolean else self.builder.bitcast(word, wanted)

    def _array(self, kind: Any, word: Any) -> Any:
        builder = self.builder
        struct = builder.inttoptr(builder.add(word, WORD(self.head)), WORD.as_pointer())
        data, shape, strides = (builder.load(builder.gep(struct, [WORD(place)])) for place in ARRAY_OBJECT.values())
        array = self.context.make_array(kind)(self.context, builder)
        item = self.context.get_abi_sizeof(self.context.get_data_type(kind.dtype))
        populate_array(
            array,
            data=builder.inttoptr(data, array.data.type),
            shape=self._row(shape, kind.ndim),
            strides=self._row(strides, kind.ndim),
            itemsize=item,
            meminfo=None,
        )
        return array._getvalue()

    def _row(self, address: Any, count: int) -> list[Any]:
        first = self.builder.inttoptr(address, WORD.as_pointer())
        return [self.builder.load(self.builder.gep(first, [WORD(k)])) for k in range(count)]
