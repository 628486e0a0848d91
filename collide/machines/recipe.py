"""How a machine is called again: its name and the value of every keyword, kept with the model and in every file."""

from collections.abc import Mapping
from typing import Any, TypeVar

Model = TypeVar("Model")


def with_recipe(model: Model, machine: str, parameters: Mapping[str, Any]) -> Model:
    """Give a model its recipe, ``{"machine": name, "parameters": {keyword: value}}``, and return it.

    Parameters
    ----------
    model : CollisionModel or LindbladModel
    machine : str
        Name in `collide.machines.MACHINES`.
    parameters : mapping
        Every keyword of the machine with a value that JSON can hold.
    """
    vars(model)["recipe"] = {"machine": machine, "parameters": dict(parameters)}
    return model
