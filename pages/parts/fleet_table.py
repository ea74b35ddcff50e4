"""All GPUs of the catalogue: which hold the deployment, on how many, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.memory.fleet import FleetRow, fleet
from core.memory.serving import ServingMemory
from core.quantities import GIB
from pages.parts import language

HEIGHT = 430


def fleet_table(memory: ServingMemory, t: Callable[..., str]) -> None:
    """Draw the table, with a choice of vendor and of what fits."""
    rows = fleet(memory.deployment)
    vendors = list(dict.fromkeys(row.vendor for row in rows))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.multiselect(
            t("size.vendors"), vendors, key="size_vendors", placeholder=t("size.all_vendors")
        )
        search = st.text_input(t("size.search"), key="size_search", placeholder="H100, RTX, 80")
        only = st.toggle(t("size.only_fitting"), key="size_only_fitting")
    words = (search or "").lower().split()
    kept = [
        row
        for row in rows
        if (not wanted or row.vendor in wanted)
        and all(word in f"{row.name} {row.id}".lower() for word in words)
        and (row.gpus or not only)
    ]
    st.caption(t("size.fleet_count", fitting=sum(1 for row in kept if row.gpus), shown=len(kept)))
    kept.sort(key=lambda row: (row.gpus is None, row.gpus or 0))
    st.dataframe(
        _frame(kept),
        hide_index=True,
        height=HEIGHT,
        column_config={
            "gpu": st.column_config.TextColumn(t("size.column.gpu"), pinned=True),
            "usable": st.column_config.NumberColumn(t("size.column.usable"), format="%.1f GiB"),
            "gpus": st.column_config.NumberColumn(t("size.column.gpus"), format="%d"),
            "layout": st.column_config.TextColumn(t("size.column.layout")),
            "tokens": st.column_config.NumberColumn(t("size.column.tokens"), format="localized"),
            "requests": st.column_config.NumberColumn(t("size.column.requests"), format="localized"),
            "reason": st.column_config.TextColumn(t("size.column.reason"), width="large"),
        },
        alt=t("size.fleet_alt", fitting=sum(1 for row in kept if row.gpus), shown=len(kept)),
    )


def _frame(rows: list[FleetRow]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gpu": [row.name for row in rows],
            "usable": [row.usable / GIB for row in rows],
            "gpus": pd.array([row.gpus for row in rows], dtype="Int64"),
            "layout": [row.layout for row in rows],
            "tokens": pd.array([row.tokens or None for row in rows], dtype="Int64"),
            "requests": pd.array([int(row.requests) or None for row in rows], dtype="Int64"),
            "reason": [row.reason.render(language.current()) if row.reason else "" for row in rows],
        }
    )
