"""The frame of every page: title, language and navigation, then the page that was asked for."""

from pathlib import Path

import streamlit as st

from pages.parts import language

# Pages in the order of the navigation: the name is the script and the address, so that neither changes
# with the language.
PAGES = {"size": ":material/memory:"}

ICON = Path(__file__).with_name("icon.svg")

language.settle()
t = language.translator()

st.set_page_config(page_title=t("app.name"), page_icon=str(ICON), layout="wide")
page = st.navigation(
    [
        st.Page(f"{name}.py", title=t(f"nav.{name}"), icon=icon, url_path=name, default=name == "size")
        for name, icon in PAGES.items()
    ],
    position="top",
)
with st.sidebar:
    language.switch()
page.run()
