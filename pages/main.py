"""The frame of every page: title, language and navigation, then the page that was asked for."""

from pathlib import Path

import streamlit as st

from pages.parts import language

ICON = Path(__file__).with_name("icon.svg")
# Pages in the order of the navigation. The name is the script and the address, whatever the language.
PAGES = {
    "size": ":material/memory:",
    "train": ":material/fitness_center:",
    "plan": ":material/account_tree:",
    "quotes": ":material/request_quote:",
    "monitor": ":material/monitor_heart:",
}
FIRST = "size"
# Pixels: names of models and weight formats are long.
SIDEBAR = 310

language.settle()
t = language.translator()
st.set_page_config(
    page_title=t("app.name"), page_icon=str(ICON), layout="wide", initial_sidebar_state=SIDEBAR
)


def page(name: str, **more: object) -> st.Page:
    """Return the page of script *name*, under its title in the current language."""
    return st.Page(f"{name}.py", title=t(f"nav.{name}"), icon=PAGES[name], **more)


# Streamlit serves its default page at / only. The first page is also registered under its own address,
# so that a link to it is found.
pages = [page(name, url_path=name) for name in PAGES if name != FIRST]
first = [page(FIRST, url_path="start", default=True), page(FIRST, url_path=FIRST, visibility="hidden")]
st.logo(str(ICON), size="large")
asked = st.navigation([*first, *pages], position="top")
with st.sidebar:
    language.switch()
asked.run()
