"""From words to a model and its protocol: ``rectifier --picture collision --set tau=0.5 --t-final 100``."""

import argparse
import ast
from difflib import get_close_matches
import inspect
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collide.ensemble import load_program
from collide.machines import registry
from collide.program import compile_program


def add_source(parser: argparse.ArgumentParser) -> None:
    """Arguments that say what is run."""
    parser.add_argument(
        "source", metavar="MACHINE", help="name of a machine (see collide machines), or a file to run again"
    )
    parser.add_argument("--picture", metavar="jump|collision", help="short for --set picture=…")
    parser.add_argument(
        "--set", dest="settings", metavar="NAME=VALUE", action="append", default=[], help="a parameter; may be repeated"
    )
    parser.add_argument("--t-final", type=float, metavar="T", help="end of the trajectories, in units of 1/ω")
    parser.add_argument(
        "--points", type=int, metavar="N", help="take averages at N+1 equidistant times from 0 to T (default: 1)"
    )
    parser.add_argument("--initial", metavar="STATE", help="steady (default), or thermal=BETA")
    parser.add_argument(
        "--keep", metavar="WHAT", help="totals, jumps, final_state; separated by commas (default: totals)"
    )
    parser.add_argument("--labels", metavar="WHICH", help="which outcomes of the ancillas are told apart: all or heat")


def program_of(arguments: argparse.Namespace) -> Any:
    """The compiled program that the arguments ask for.

    Raises
    ------
    ValueError
        If a name or value is wrong; the sentence says what there is.
    """
    if is_file(arguments.source):
        _refuse_protocol(arguments)
        return load_program(arguments.source)
    if arguments.t_final is None:
        raise ValueError("--t-final is missing: say when the trajectories end, in units of 1/ω.")
    model = build(arguments.source, settings(arguments))
    options: dict[str, Any] = {}
    if arguments.initial is not None:
        options["initial"] = _initial(arguments.initial)
    if arguments.keep is not None:
        options["keep"] = tuple(word.strip() for word in arguments.keep.split(","))
    if arguments.labels is not None:
        options["labels"] = arguments.labels
    return compile_program(
        model, times(model, arguments.t_final, 1 if arguments.points is None else arguments.points), **options
    )


def is_file(source: str) -> bool:
    """Whether the source is a file rather than a machine."""
    return source not in registry() and (Path(source).suffix in {".h5", ".hdf5", ".nc"} or Path(source).exists())


def _refuse_protocol(arguments: argparse.Namespace) -> None:
    given = {
        "--picture": arguments.picture,
        "--set": arguments.settings or None,
        "--t-final": arguments.t_final,
        "--points": arguments.points,
        "--initial": arguments.initial,
        "--keep": arguments.keep,
        "--labels": arguments.labels,
    }
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} is settled in {arguments.source}: leave it out, or name a machine instead of a file."
            )


def settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Parameters as they were typed, in Python's notation where they are in it."""
    found: dict[str, Any] = {} if arguments.picture is None else {"picture": arguments.picture}
    for word in arguments.settings:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(f"--set must be NAME=VALUE, but is {word!r}.")
        found[name.strip()] = literal(value.strip())
    return found


def literal(text: str) -> Any:
    """A number, truth value, list or mapping in Python's notation, an infinity, or else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        pass
    try:
        return float(text)  # inf
    except ValueError:
        return text


def build(name: str, given: dict[str, Any]) -> Any:
    """The model of a machine; what is not given has the paper's value.

    Raises
    ------
    ValueError
        If there is no such machine or parameter.
    """
    machines = registry()
    if name not in machines:
        raise ValueError(
            f"there is no machine {name!r}{_meant(name, machines)}: the machines are {', '.join(machines)}."
        )
    known = inspect.signature(machines[name]).parameters
    for word in given:
        if word not in known:
            raise ValueError(f"{name} has no parameter {word!r}{_meant(word, known)}: it has {', '.join(known)}.")
    return machines[name](**{word: _typed(value, known[word].default) for word, value in given.items()})


def _meant(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _typed(value: Any, default: Any) -> Any:
    """A whole number where a real one is expected is a real one."""
    return float(value) if isinstance(default, float) and type(value) is int else value


def times(model: Any, t_final: float, points: int) -> NDArray[np.float64]:
    """(points + 1,) equidistant times, moved to whole periods in a collision model."""
    if points < 1:
        raise ValueError(f"--points must be at least 1, but is {points}.")
    if not t_final > 0:
        raise ValueError(f"--t-final must be positive, but is {t_final}.")
    grid = np.linspace(0.0, t_final, points + 1)
    tau = model.process.tau
    if tau is None:
        return grid
    inside = np.unique(np.round(grid[:-1] / tau)) * tau
    return np.append(inside[inside < t_final * (1 - 1e-12)], t_final)


def _initial(text: str) -> Any:
    name, equals, value = text.partition("=")
    if name == "thermal" and equals:
        return ("thermal", float(value))
    if text == "steady":
        return text
    raise ValueError(f"--initial must be steady or thermal=BETA, but is {text!r}.")
