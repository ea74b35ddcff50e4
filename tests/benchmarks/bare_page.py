"""One slider, one metric and one st.plotly_chart of stacked bars."""

import plotly.graph_objects as go
import streamlit as st

requests = st.slider("Concurrent requests", 1, 256, 64, key="requests")
kv = 0.25 * requests
st.metric("KV cache", f"{kv:.2f} GiB")
parts = {"Weights": 79.6, "Activation": 3.1, "Runtime": 2.1, "CUDA graphs": 1.4, "KV cache": kv}
figure = go.Figure(
    [
        go.Bar(y=["GPU"], x=[size], name=name, orientation="h", text=f"{size:.2f} GiB")
        for name, size in parts.items()
    ]
)
figure.update_layout(barmode="stack", height=260, xaxis_title="GiB")
st.plotly_chart(figure, key="memory")
