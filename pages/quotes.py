"""Quotes: offers of clouds, resellers and makers on one fair table, for a workload and what it assumes."""

import streamlit as st

from pages.parts import language
from pages.parts.answered import tell_refused
from pages.parts.quotes_answer import quotes_answer
from pages.parts.quotes_fields import FIELDS
from pages.parts.quotes_import import import_panel
from pages.parts.quotes_saved import QuotesWork
from pages.parts.quotes_sidebar import quotes_sidebar
from pages.parts.quotes_table import quotes_table, tell_faults, ways
from pages.parts.quoting import told
from pages.parts.saved_inputs import WorkInputs
from pages.parts.saved_view import form, saved_list, tell_missed

t = language.translator()
inputs = WorkInputs("quotes", FIELDS)
work = QuotesWork(inputs)
work.settle()
refused = inputs.settle()

st.title(t("quotes_page.title"), anchor=False)
st.caption(t("quotes_page.subtitle"))
with st.container():
    tell_missed(work)
    tell_refused(refused, t)
with st.sidebar:
    quotes_sidebar(inputs, t)
    with st.expander(t("quotes_page.saved"), key="quotes_group_saved", on_change="rerun") as group:
        if group.open:
            saved_list(work, t)
bar = st.container()
with st.container(horizontal=True):
    ways(t, work.start_empty)
with st.expander(
    t("quotes_page.import"), icon=":material/upload_file:", key="quotes_import", on_change="rerun"
) as panel:
    if panel.open:
        import_panel(t)
rows = quotes_table(t)
with bar:
    form(work, t, wide=True)
result = told(rows, inputs)
with st.container():
    tell_faults(result.checked, t, "quotes")
if result.error is not None:
    st.error(result.error.sentence.render(language.current()), icon=":material/error:")
elif result.answer is None:
    st.info(t("quotes_page.empty"), icon=":material/request_quote:")
else:
    quotes_answer(inputs, result.answer, t)
