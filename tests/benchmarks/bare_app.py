"""The server of the bare page, as warm as ours: the comparison is of the pages."""

from pathlib import Path

import streamlit as st

import app as dashboard

app = st.App(Path(__file__).with_name("bare_page.py"), lifespan=dashboard.lifespan)
