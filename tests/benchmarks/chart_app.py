"""The server of the bench of the plot component."""

from pathlib import Path

import streamlit as st

import app as dashboard

app = st.App(
    Path(__file__).with_name("chart_page.py"), lifespan=dashboard.lifespan, routes=dashboard.routes()
)
