"""Figures of what CREs do at each distance, and in each dosage: the paper's Figure 4 and Extended Data Figure 10."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .style import draw_mean, groups_of, guide, legend, means, need
from .tiles import NAMES

_SINGLE = 40  # curves of single CREs beyond which only the means are drawn
_STYLE = {"silencer": "--", "neutral": ":"}


def plot_distance_curves(
    table: pd.DataFrame, ax: Any, *, value: str = "fraction_of_max", by: str = "cre", single: bool = True
) -> Any:
    """Draw what CREs do at each distance from the TSS, as mean and standard error: Figure 4.

    A single CRE has the interval of its shuffles instead, where the table has one.

    Parameters
    ----------
    table: pandas.DataFrame
        One row a CRE and position: `offset` in bp from the TSS to the middle of the tile, the value, the kind of the
        CRE, and, to draw single curves, `example` and `cre_tile`.

    ax: matplotlib.axes.Axes

    value: str, optional
        `fraction_of_max`, `over_wt`, `over_control`, `fold_over_control`, or another. Default is "fraction_of_max".

    by: str, optional
        The column of kinds. Default is "cre".

    single: bool, optional
        Whether to draw each CRE as a thin line, if they are 40 at most. Default is True.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"offset": [-5000, 5000] * 2, "cre": "enhancer", "fraction_of_max": [0.5, 1.0, 0.7, 1.0]})
    >>> plot_distance_curves(table, Figure().subplots()).lines[0].get_xydata().round(3).tolist()
    [[-5.0, 0.6], [5.0, 1.0]]
    """
    need(table, ["offset", value, by])
    names = [name for name in ("example", "cre_tile", "track") if name in table.columns]
    for name, color, part in groups_of(table[table[value].notna()], by):
        curves = [curve for _, curve in part.groupby(names)] if names else [part]
        label = f"{name} ({len(curves)})" if names else name
        draw_mean(
            ax, means(part, "offset", value), scale=1e-3, color=color, linestyle=_STYLE.get(name, "-"), label=label,
            linewidth=2, marker="." if part["offset"].nunique() < 50 else None,
        )  # fmt: skip
        for curve in curves if single and 1 < len(curves) <= _SINGLE else ():
            curve = curve.sort_values("offset")
            ax.plot(curve["offset"] / 1000, curve[value], color=color, linewidth=0.5, alpha=0.5, zorder=1)
    guide(ax, x=0, y=1 if value.startswith("fold") else 0)
    ax.set_xlabel("distance to the TSS (kb)")
    known = {"fraction_of_max": "fraction of the maximum", "fold_over_control": "fold change over control"}
    ax.set_ylabel(known.get(value) or NAMES.get(value, value))
    legend(ax)
    return ax


def plot_multiplicity(
    table: pd.DataFrame,
    ax: Any,
    *,
    saturation: pd.DataFrame | None = None,
    value: str = "fold_over_control",
    by: str = "cre",
    log: bool = False,
) -> Any:
    """Draw what more and more copies of a CRE do, with the plateaus that were fitted: Extended Data Figure 10.

    Parameters
    ----------
    table: pandas.DataFrame
        One row a CRE and number of copies: `copies`, the value, the kind, and, to draw single curves, `example` and
        `cre_tile`.

    ax: matplotlib.axes.Axes

    saturation: pandas.DataFrame or None, optional
        Of `fit_saturation`, one row a CRE: `plateau_fold`, `saturates` and the kind. The median plateau of the CREs
        that saturate is drawn as a dashed line. Default is None.

    value: str, optional
        Default is "fold_over_control".

    by: str, optional
        The column of kinds. Default is "cre".

    log: bool, optional
        Whether the axis is logarithmic. Default is False.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"copies": [1, 2, 1, 2], "cre": "enhancer", "fold_over_control": [2.0, 3.0, 4.0, 5.0]})
    >>> plot_multiplicity(table, Figure().subplots()).lines[0].get_xydata().tolist()
    [[0.0, 1.0], [1.0, 3.0], [2.0, 4.0]]
    """
    need(table, ["copies", value, by])
    names = [name for name in ("example", "cre_tile", "track") if name in table.columns]
    for name, color, part in groups_of(table[table[value].notna()], by):
        if value.startswith("fold"):  # without a copy there is the control
            none = (part.drop_duplicates(names) if names else part[:1]).assign(copies=0, **{value: 1.0})
            part = pd.concat([none, part], ignore_index=True)
        curves = [curve for _, curve in part.groupby(names)] if names else [part]
        draw_mean(
            ax, means(part, "copies", value), color=color, linestyle=_STYLE.get(name, "-"), linewidth=2, marker=".",
            label=f"{name} ({len(curves)})" if names else name,
        )  # fmt: skip
        for curve in curves if 1 < len(curves) <= _SINGLE else ():
            curve = curve.sort_values("copies")
            ax.plot(curve["copies"], curve[value], color=color, linewidth=0.5, alpha=0.5, zorder=1)
        if saturation is not None and len(saturation):
            need(saturation, ["plateau_fold", "saturates", by])
            fitted = saturation[(saturation[by] == name) & (saturation["saturates"] == "yes")]
            plateau = fitted["plateau_fold"].dropna()
            if len(plateau) and (plateau.median() > 0 or not log):
                ax.axhline(
                    plateau.median(), color=color, linewidth=1, linestyle=(0, (6, 3)),
                    label=f"{name}: median plateau of {len(plateau)}",
                )  # fmt: skip
    guide(ax, y=1)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("copies of the CRE")
    ax.set_ylabel("fold change over control" if value == "fold_over_control" else value)
    if log:
        ax.set_yscale("log")
    legend(ax)
    return ax
