"""One slider and one chart of 60 points: the bare page that the bench of the plot component compares."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.parts.plot import plot

drawn_by = st.query_params.get("by", "plot")
factor = st.slider("factor", 1, 60, 1, key="factor")
x = np.linspace(0, 10, 60)
lines = [
    {"type": "scatter", "mode": "lines", "x": x, "y": x * factor * step, "name": f"{step}"}
    for step in (1, 2, 3)
]
layout = {"title": {"text": f"factor {factor}"}, "height": 320, "yaxis": {"range": [0, 1800]}}
if drawn_by == "plot":
    plot({"data": lines, "layout": layout}, "chart", "Three lines")
else:
    st.plotly_chart(go.Figure(lines, layout, _validate=False), key="chart", config={"displayModeBar": False})
