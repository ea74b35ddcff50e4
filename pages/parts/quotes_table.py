"""The quotes as a table to edit, what is wrong with its rows, and the ways to fill it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pandas as pd
import streamlit as st

from core.catalog import offers
from core.cost.assumptions import Assumptions
from core.cost.renting import quote_of, reserved
from core.quotes import CURRENCIES, Checked, column, csv_template, xlsx_template
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.quotes_fields import CLOUDS
from pages.parts.quotes_rows import CURRENT, ORDER, Row, add, base, cleaned, editor_key, row_of

Translator = Callable[..., str]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHOICES = ("kind", "per", "period", "currency")
TERMS: dict[str, Literal[1, 3]] = {"reserved_1y": 1, "reserved_3y": 3}
MOST_FAULTS = 30
ICONS = {
    "error": ":red[:material/error:]",
    "warning": ":orange[:material/warning:]",
    "note": ":material/info:",
}


def quotes_table(t: Translator) -> list[Row]:
    """Draw the editor, and return the rows as they are now."""
    rows = base()
    frame = pd.DataFrame(
        [[row.get(key) for key in ORDER] for row in rows],
        columns=list(ORDER),
        index=pd.RangeIndex(1, len(rows) + 1),
        dtype="string",
    )
    edited = st.data_editor(
        frame,
        key=editor_key(),
        num_rows="dynamic",
        hide_index=False,
        column_config=_columns(rows),
        placeholder="",
        alt=t("quotes_page.table_alt", count=len(rows)),
    )
    found = cleaned(edited.to_dict("records"))
    st.session_state[CURRENT] = found
    return found


def _columns(rows: list[Row]) -> dict[str, object]:
    """Return how each column is edited: all as text, so that nothing that was typed is lost."""
    locale = language.current()
    found: dict[str, object] = {}
    for key in ORDER:
        kind = column(key)
        label, help_ = kind.label.render(locale), kind.help.render(locale)
        if key in CHOICES:
            proposed = CURRENCIES if key == "currency" else kind.choices
            # What a file says and no choice has stays visible, and can be replaced.
            options = list(dict.fromkeys((*proposed, *(row[key] for row in rows if row.get(key)))))
            found[key] = st.column_config.SelectboxColumn(label, options=options, help=help_, width="small")
        else:
            wide = "medium" if key in ("name", "source", "notes") else "small"
            found[key] = st.column_config.TextColumn(label, help=help_, pinned=key == "name", width=wide)
    return found


def tell_faults(checked: Checked, t: Translator, key: str) -> None:
    """List what is wrong with rows, and what was read into them."""
    errors, warnings, notes = (checked.of(level) for level in ("error", "warning", "note"))
    if errors:
        bad = len({fault.row for fault in errors})
        st.error(t("quotes_page.bad_rows", bad=bad, good=len(checked.good)), icon=":material/rule:")
    listed = [*errors, *warnings]
    if listed:
        lines = [
            f"- {ICONS[one.level]} {plain(one.told.render(language.current()))}"
            for one in listed[:MOST_FAULTS]
        ]
        if len(listed) > MOST_FAULTS:
            lines.append(f"- {t('quotes_page.more_faults', count=len(listed) - MOST_FAULTS)}")
        st.markdown("\n".join(lines))
    if notes:
        with st.expander(t("quotes_page.notes", count=len(notes)), key=f"{key}_notes"):
            st.caption("\n".join(f"- {plain(one.told.render(language.current()))}" for one in notes[:100]))


def ways(t: Translator, empty: Callable[[], None]) -> None:
    """Draw the ways to fill the table beside typing: list prices, templates, nothing, which *empty* does."""
    with st.popover(t("quotes_page.add_listed"), icon=":material/cloud:"):
        _listed(t)
    st.button(
        t("quotes_page.start_empty"), icon=":material/delete_sweep:", key="quotes_empty", on_click=empty
    )
    with st.popover(t("quotes_page.templates"), icon=":material/download:"):
        st.caption(t("quotes_page.templates_note"))
        locale = language.current()
        for name, make, mime in (("csv", csv_template, "text/csv"), ("xlsx", xlsx_template, XLSX)):
            st.download_button(
                t(f"quotes_page.template_{name}"),
                lambda make=make: make(locale),
                f"quotes-template.{name}",
                mime,
                on_click="ignore",
                key=f"quotes_template_{name}",
            )


def _listed(t: Translator) -> None:
    cloud = st.selectbox(t("quotes_page.cloud"), CLOUDS, key="quotes_cloud")
    ids = [id_ for id_, offer in offers().items() if offer.cloud == cloud]
    chosen = st.selectbox(t("quotes_page.instance"), ids, format_func=_offered, key="quotes_offer")
    offer = offers()[chosen]
    kinds = ("on_demand", *(("spot",) if offer.spot_median is not None else ()), *TERMS)
    kind = st.selectbox(
        t("quotes_page.pay"),
        kinds,
        format_func=lambda name: t(f"quotes_page.kinds.{name}"),
        key="quotes_kind",
    )
    nodes = st.number_input(t("quotes_page.instances"), 1, 10_000, 1, key="quotes_nodes")
    st.caption(
        t(
            "quotes_page.offer_source",
            as_of=f"{offer.provenance.as_of}",
            source=plain(offer.provenance.source),
        )
    )
    st.button(
        t("quotes_page.add"),
        type="primary",
        key="quotes_add",
        on_click=_add,
        args=(chosen, str(kind), int(nodes)),
    )


def _offered(id_: str) -> str:
    offer = offers()[id_]
    return f"{offer.instance} · {offer.gpus} × {offer.accelerator} · {offer.region} · ${offer.usd_per_hour:,.2f}/h"


def _add(id_: str, kind: str, nodes: int) -> None:
    quote = quote_of(offers()[id_], "spot" if kind == "spot" else "on_demand", nodes)
    if kind in TERMS:
        quote = reserved(quote, TERMS[kind], Assumptions())
    add([row_of(quote)])
