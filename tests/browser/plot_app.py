"""The server of the plot tests: the routes of the dashboard around one page of their own."""

from pathlib import Path

import streamlit as st

import app as dashboard

app = st.App(Path(__file__).with_name("plot_page.py"), routes=dashboard.routes())
