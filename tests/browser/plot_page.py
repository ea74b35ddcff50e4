import numpy as np
import streamlit as st

from pages.parts.plot import plot

height = st.slider("height", 200, 400, 300, step=50, key="height")
factor = st.slider("factor", 1, 10, 5, key="factor")
quantity = st.segmented_control("Quantity", ["GiB", "tokens"], default="GiB", key="quantity")
st.metric("Factor", factor)

x = np.arange(20)
line = {
    "type": "scatter",
    "mode": "lines",
    "x": x,
    "y": x * factor,
    "name": "KV",
    "line": {"color": "token:kv"},
}
bar = {"type": "bar", "x": [1, 2], "y": [3, 4], "marker": {"color": ["token:weights", "token:free"]}}
title = {"text": f"factor {factor}"}
plot({"data": [line], "layout": {"title": title}}, "line", f"A line that rises {factor} a step", height)
plot({"data": [bar], "layout": {}}, "bar", "Two bars that stay")
axis = {"range": [0, 4 * factor], "title": {"text": quantity, "font": {"color": "token:muted"}}}
longer = {"xaxis": axis, "title": f"up to {4 * factor}"}
plot({"data": [{**bar, "orientation": "h"}], "layout": longer}, "longer", "Two bars below an axis that grows")
