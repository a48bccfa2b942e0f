"""Plot the effect of CREs by distance and by dosage: the paper's Figure 4 and Extended Data Figure 10."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .style import (
    EFFECT_LABELS,
    LINE_STYLES,
    against,
    draw_mean,
    groups_of,
    guide,
    legend,
    means,
    need,
    unchanged,
)

_SINGLE = 40  # with more CREs than this, only means are drawn and no single curves


def plot_distance_curves(
    table: pd.DataFrame, ax: Any, *, value: str = "fraction_of_max", by: str = "cre", single: bool = True
) -> Any:
    """Draw the effect of CREs by distance from the TSS, as mean and standard error: Figure 4.

    A single CRE has the interval of its shuffles instead, if the table has one.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per CRE and position: `offset` in bp from the TSS to the middle of the tile, the value, the kind of the
        CRE, and, for single curves, `example` and `cre_tile`.

    ax: matplotlib.axes.Axes

    value: str, optional
        The column to draw: `fraction_of_max`, `over_wt`, `over_control`, `fold_over_control`, or another. Default is
        "fraction_of_max".

    by: str, optional
        The column of kinds. Default is "cre".

    single: bool, optional
        Whether to draw each CRE as a thin line, if a kind has at most 40 CREs. Default is True.

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
    for name, color, part in groups_of(table[table[value].notna()], by):
        marker = "." if part["offset"].nunique() < 50 else None
        _draw_kind(ax, part, "offset", value, name, scale=1e-3, single=single, color=color, marker=marker)
    guide(ax, x=0, y=unchanged(value))
    ax.set_xlabel("distance to the TSS (kb)")
    known = {"fraction_of_max": "fraction of the maximum"}
    known |= {name: against(name, "control") for name in ("fold_over_control", "difference", "log_fold")}
    ax.set_ylabel(known.get(value) or EFFECT_LABELS.get(value, value))
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
    """Draw the effect of more and more copies of a CRE, with fitted plateaus: Extended Data Figure 10.

    Parameters
    ----------
    table: pandas.DataFrame
        One row per CRE and number of copies: `copies`, the value, the kind, and, for single curves, `example` and
        `cre_tile`.

    ax: matplotlib.axes.Axes

    saturation: pandas.DataFrame or None, optional
        The table of `saturation_table`, one row per CRE: the plateau on the scale of the value (`plateau_fold`,
        `plateau_difference` or `plateau_log_fold`), `saturates` and the kind. A dashed line shows the median plateau of
        the CREs that saturate. Default is None.

    value: str, optional
        The column to draw: "fold_over_control", "difference", "log_fold" or another. Default is "fold_over_control".

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
    of_control = value.startswith("fold") or value in ("difference", "log_fold")
    plateaus = f"plateau_{value if value in ('difference', 'log_fold') else 'fold'}"
    for name, color, part in groups_of(table[table[value].notna()], by):
        if of_control:  # zero copies are the control
            names = _names(part)
            none = (part.drop_duplicates(names) if names else part[:1]).assign(copies=0, **{value: unchanged(value)})
            part = pd.concat([none, part], ignore_index=True)
        _draw_kind(ax, part, "copies", value, name, color=color, marker=".")
        if saturation is not None and len(saturation):
            need(saturation, [plateaus, "saturates", by])
            fitted = saturation[(saturation[by] == name) & (saturation["saturates"] == "yes")]
            plateau = fitted[plateaus].dropna()
            if len(plateau) and (plateau.median() > 0 or not log):
                ax.axhline(
                    plateau.median(), color=color, linewidth=1, linestyle=(0, (6, 3)),
                    label=f"{name}: median plateau of {len(plateau)}",
                )  # fmt: skip
    guide(ax, y=unchanged(value) if of_control else 1)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("copies of the CRE")
    ax.set_ylabel(against(value, "control") if value == "fold_over_control" or of_control else value)
    if log:
        ax.set_yscale("log")
    legend(ax)
    return ax


def _names(table: pd.DataFrame) -> list[str]:
    """Return the columns that tell CREs apart."""
    return [name for name in ("example", "cre_tile", "track") if name in table.columns]


def _draw_kind(
    ax: Any, table: pd.DataFrame, x: str, value: str, kind: str, *, color: str, marker: str | None, scale: float = 1.0,
    single: bool = True,
) -> None:  # fmt: skip
    """Draw the mean of the CREs of one kind, and each CRE as a thin line if they are few."""
    names = _names(table)
    curves = [curve for _, curve in table.groupby(names)] if names else [table]
    draw_mean(
        ax, means(table, x, value), scale=scale, color=color, linestyle=LINE_STYLES.get(kind, "-"), linewidth=2,
        marker=marker, label=f"{kind} ({len(curves)})" if names else kind,
    )  # fmt: skip
    for curve in curves if single and 1 < len(curves) <= _SINGLE else ():
        curve = curve.sort_values(x)
        ax.plot(curve[x] * scale, curve[value], color=color, linewidth=0.5, alpha=0.5, zorder=1)
