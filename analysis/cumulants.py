"""Moments and cumulants to order 4 with jackknife errors, for one column or several together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import style
from .columns import Source, column, columns, duration
from .estimates import Estimate, block_edges, jackknife, leave_one_out
from .kstatistics import joint_k_statistic, k_statistics, power_sums, product_sums

Floats = NDArray[np.float64]
ORDINALS = ("mean", "variance", "third cumulant", "fourth cumulant")


@dataclass(frozen=True)
class Cumulants:
    """Cumulants of one column, unbiased, with everything needed for the error of a function of them.

    Attributes
    ----------
    name : str
    n : int
        Number of trajectories.
    value, error : (4,) float
        k-statistics of order 1 to 4 and their standard errors.  With infinite values in the column the mean is
        infinite and the rest nan.
    replicas : (B, 4) float
        The same without each block in turn.
    sizes : (B,) int
        Trajectories in each block.
    time : float or None
        Time over which the column was gathered; turns cumulants into rates.
    """

    name: str
    n: int
    value: Floats
    error: Floats
    replicas: Floats = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)
    time: float | None = None

    def __getitem__(self, order: int) -> Estimate:
        """The cumulant of an order from 1 to 4."""
        if order not in (1, 2, 3, 4):
            raise ValueError(f"`order` must be 1, 2, 3 or 4, but is {order}.")
        return Estimate(float(self.value[order - 1]), float(self.error[order - 1]))

    @property
    def mean(self) -> Estimate:
        """First cumulant."""
        return self[1]

    @property
    def variance(self) -> Estimate:
        """Second cumulant."""
        return self[2]

    def of(self, function: Callable[[Floats], Any]) -> Estimate:
        """A function of the cumulants with its jackknife error; `function` maps (..., 4) to (...)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            full, replicas = np.asarray(function(self.value)), np.asarray(function(self.replicas))
        error, _ = jackknife(full, replicas, self.sizes)
        return Estimate(float(full), float(error))

    @property
    def fano(self) -> Estimate:
        """Variance over mean; divide by the quantum of heat to compare with 1, the value of independent jumps."""
        return self.of(lambda k: k[..., 1] / k[..., 0])

    @property
    def skewness(self) -> Estimate:
        """Third cumulant over the cube of the standard deviation."""
        return self.of(lambda k: k[..., 2] / k[..., 1] ** 1.5)

    @property
    def excess_kurtosis(self) -> Estimate:
        """Fourth cumulant over the square of the variance."""
        return self.of(lambda k: k[..., 3] / k[..., 1] ** 2)

    def moment(self, order: int) -> Estimate:
        """Raw moment <x^order> from the unbiased cumulants (first order in 1/n unbiased), order 1 to 4."""
        return self.of(lambda k: raw_moments(k)[..., order - 1])

    def rates(self, time: float | None = None) -> "Cumulants":
        """Cumulants divided by the time they were gathered in.

        Trap: heat exchanged in the transient at both ends adds a constant to the cumulants, so a rate at finite time
        differs from the long-time one by a term that decays only as 1/time.
        """
        t = self.time if time is None else time
        if t is None or not t > 0:
            raise ValueError(f"`time` must be a positive time, but is {t}; pass it, or use an ensemble with a tlist.")
        return Cumulants(
            f"{self.name} per time", self.n, self.value / t, self.error / t, self.replicas / t, self.sizes, self.time
        )

    def plot(self, ax: Any = None) -> Any:
        """Cumulants in units of the standard deviation: mean, 1, skewness, excess kurtosis."""
        ax = style.axes(ax)
        scale = np.sqrt(abs(self.value[1])) ** np.arange(1, 5)
        style.points(ax, np.arange(1, 5), self.value / scale, self.error / scale)
        style.bound_line(ax, 0.0, "Gaussian")
        ax.set(xticks=range(1, 5), xlabel="order", ylabel=r"$\kappa_k / \sigma^k$", title=self.name)
        return ax

    def __repr__(self) -> str:
        parts = ", ".join(f"{word} {self[k + 1]}" for k, word in enumerate(ORDINALS))
        return f"{self.name} of {self.n} trajectories: {parts}."


def cumulants(
    source: Source, quantity: str | None = None, *, time: float | None = None, blocks: int = 128
) -> Cumulants:
    """Cumulants to order 4 of a column with jackknife errors.

    Parameters
    ----------
    source : Ensemble, mapping or (n,) array_like
    quantity : str, optional
        Such as ``"work"`` or ``"heat:L"``; see `collide.analysis.columns`.
    time : float, optional
        Time over which the column was gathered; from the ensemble if it has a tlist.
    blocks : int
        Number of jackknife blocks.  The relative error of an error is about sqrt(1 / (2 blocks)).

    Returns
    -------
    Cumulants
    """
    col = column(source, quantity)
    t = duration(source, time)
    edges = block_edges(len(col), blocks)
    sizes = np.diff(edges)
    if not np.isfinite(col.values).all():
        value = np.array([col.values.mean(), np.nan, np.nan, np.nan])
        return Cumulants(col.name, len(col), value, np.full(4, np.nan), np.full((len(sizes), 4), np.nan), sizes, t)
    pivot = float(col.values[: sizes[0]].mean())
    return from_power_sums(power_sums(col.values, edges, pivot), sizes, name=col.name, pivot=pivot, time=t)


def from_power_sums(
    sums: Floats, sizes: NDArray[np.int64], *, name: str = "x", pivot: float = 0.0, time: float | None = None
) -> Cumulants:
    """Cumulants from the sums of powers 1 to 4 in each block or chunk.

    Parameters
    ----------
    sums : (B, 4) float
        Sums of powers of ``x - pivot`` over the trajectories of each block.
    sizes : (B,) int
        Trajectories in each block.
    """
    n = int(np.sum(sizes))
    value = k_statistics(sums.sum(axis=0), n, pivot)
    replicas = k_statistics(leave_one_out(sums), n - np.asarray(sizes), pivot)
    error, _ = jackknife(value, replicas, sizes)
    return Cumulants(name, n, value, error, replicas, np.asarray(sizes), time)


def raw_moments(cumulant: Floats) -> Floats:
    """Raw moments <x>, <x^2>, <x^3>, <x^4>, (..., 4), from cumulants (..., 4)."""
    a, b, c, d = np.moveaxis(np.asarray(cumulant, dtype=float), -1, 0)
    fourth = d + 4 * c * a + 3 * b**2 + 6 * b * a**2 + a**4
    return np.stack([a, b + a**2, c + 3 * b * a + a**3, fourth], axis=-1)


def joint_cumulant(source: Source, quantities: Sequence[str], *, blocks: int = 128) -> Estimate:
    """Joint cumulant of two to four columns, such as ``("heat:L", "heat:L", "work")`` for <<Q_L Q_L W>>.

    Parameters
    ----------
    source : Ensemble or mapping of (n,) arrays
    quantities : sequence of str
        One per index; repetition is allowed.

    Returns
    -------
    Estimate
        Unbiased, with jackknife error.
    """
    order = len(quantities)
    if not 1 <= order <= 4:
        raise ValueError(f"`quantities` must name one to four columns, but names {order}.")
    taken = columns(source, tuple(quantities))
    values = np.stack([c.values for c in taken])
    mean = values.mean(axis=1, keepdims=True)
    edges = block_edges(values.shape[1], blocks)
    sums, sizes = product_sums(values - mean, edges), np.diff(edges)
    full = joint_k_statistic(sums.sum(axis=0), sizes.sum(), order)
    replicas = joint_k_statistic(leave_one_out(sums), sizes.sum() - sizes, order)
    error, _ = jackknife(full, replicas, sizes)
    return Estimate(float(full) + (float(mean[0, 0]) if order == 1 else 0.0), float(error))


@dataclass(frozen=True)
class Covariance:
    """Covariance matrix of several columns.

    Attributes
    ----------
    names : tuple of str
    value, error : (m, m) float
    """

    names: tuple[str, ...]
    value: Floats
    error: Floats

    @property
    def correlation(self) -> Floats:
        """Pearson correlation matrix."""
        spread = np.sqrt(np.diag(self.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.value / np.outer(spread, spread))

    def plot(self, ax: Any = None) -> Any:
        """The correlation matrix as a labelled map."""
        ax = style.axes(ax, size=(4.2, 3.6))
        shown = self.correlation
        ax.imshow(shown, cmap="RdBu_r", vmin=-1, vmax=1)
        for i, j in np.ndindex(*shown.shape):
            ax.text(
                j, i, f"{shown[i, j]:.2f}", ha="center", va="center", color="w" if abs(shown[i, j]) > 0.6 else style.INK
            )
        ax.set_xticks(range(len(self.names)), self.names, rotation=30, ha="right")
        ax.set_yticks(range(len(self.names)), self.names)
        ax.set_title("correlation")
        return ax

    def __repr__(self) -> str:
        pairs = (
            f"<<{a} {b}>> = {Estimate(float(self.value[i, j]), float(self.error[i, j]))}"
            for i, a in enumerate(self.names)
            for j, b in enumerate(self.names)
            if i <= j
        )
        return "Covariance: " + ", ".join(pairs) + "."


def covariance(source: Source, quantities: Sequence[str], *, blocks: int = 128) -> Covariance:
    """Covariance matrix of several columns with jackknife errors."""
    m = len(quantities)
    value, error = np.empty((m, m)), np.empty((m, m))
    for i in range(m):
        for j in range(i, m):
            pair = joint_cumulant(source, (quantities[i], quantities[j]), blocks=blocks)
            value[i, j] = value[j, i] = pair.value
            error[i, j] = error[j, i] = pair.error
    return Covariance(tuple(quantities), value, error)
