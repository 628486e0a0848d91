"""Ensembles in other people's containers."""

from typing import Any

import numpy as np

from collide.records import Array


def to_pandas(ens: Any) -> Any:
    """A `pandas.DataFrame` with one row per trajectory, indexed by its id, and one column per quantity."""
    import pandas as pd

    frame = {name: _native(ens, name) for name in ens.quantities}
    return pd.DataFrame(frame, index=pd.Index(ens.ids, name="trajectory"))


def _native(ens: Any, quantity: str) -> Array:
    name, _, part = quantity.partition(":")
    if name == "heat":
        return ens.heat[part]
    column = ens.column(name)
    return column[:, int(part)] if part else column


def to_xarray(ens: Any) -> Any:
    """An `xarray.Dataset` of columns, averages with errors, and events; the file itself opens in xarray as well."""
    import xarray as xr

    plan = ens.plan
    data: dict[str, Any] = {}
    for f in plan.fields.columns:
        attrs = {"units": f.units, "long_name": f.meaning}
        data[f.name] = (("trajectory", *f.dims), ens.column(f.name), attrs)
    for f in plan.fields.ragged:
        data[f.name] = (("event", *f.dims), ens.events(f.name), {"units": f.units, "long_name": f.meaning})
    if expect := ens.expect:
        data["expect"] = (("time", "e_op"), np.stack([e.value for e in expect.values()], axis=-1))
        data["expect_error"] = (("time", "e_op"), np.stack([e.error for e in expect.values()], axis=-1))
    if plan.fields.partial("heat_power_sums") and len(ens) and ens.baths:
        moments = ens.heat_moments().values()
        data["heat_cumulant"] = (("time", "bath", "order"), np.stack([m.value for m in moments], axis=1))
        data["heat_cumulant_error"] = (("time", "bath", "order"), np.stack([m.error for m in moments], axis=1))
    if plan.fields.partial("rho_sum") and len(ens):
        data["average_state"] = (("time", "row", "column"), ens.average_state)
    used = {dim for dims, *_ in data.values() for dim in dims}
    coords: dict[str, Any] = {k: v for k, v in plan.coords.items() if k in used and len(v)}
    coords |= {"trajectory": ens.ids} | ({"time": ens.tlist} if "time" in used else {})
    attrs = {"seed": str(ens.seed), "identity": plan.program.identity}
    return xr.Dataset(data, coords=coords, attrs=attrs)
