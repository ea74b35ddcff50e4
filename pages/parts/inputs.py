"""The widgets of a page's inputs: each shows what the page's state says, and hands a change back to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.parts.address import State, Value, joined, listed


class Inputs(State):
    """The values of the inputs of a page, and the widgets that change them.

    Each widget is drawn with its input's value and hands a change back before the next run.
    """

    def choice(
        self, name: str, label: str, options: Sequence[str], show: Callable[[str], str] = str, **more: Any
    ) -> None:
        """Draw a list to choose from; where the default is None it can be cleared, and `placeholder` says to what."""
        key = self._seed(name, tuple(options))
        optional = {"index": None} if self.fields[name].default is None else {}
        st.selectbox(
            label, options, key=key, format_func=show, on_change=self._take, args=(name,), **optional, **more
        )

    def segments(
        self, name: str, label: str, options: Sequence[str], show: Callable[[str], str], **more: Any
    ) -> None:
        """Draw a few alternatives side by side."""
        key = self._seed(name, tuple(options))
        st.segmented_control(
            label,
            options,
            key=key,
            format_func=show,
            required=True,
            on_change=self._take,
            args=(name,),
            **more,
        )

    def several(
        self, name: str, label: str, options: Sequence[str], show: Callable[[str], str] = str, **more: Any
    ) -> None:
        """Draw a list of which any number may be chosen; the input holds them as `joined` spells them."""
        key = self._seed(name, tuple(options), listed(self[name]))
        st.multiselect(
            label, options, key=key, format_func=show, on_change=self._take_several, args=(name,), **more
        )

    def steps(
        self, name: str, label: str, steps: Sequence[int], show: Callable[[int], str] = str, **more: Any
    ) -> None:
        """Draw a slider over *steps*; a value between them, from a link or a remedy, becomes one of them."""
        kept: set[Value] = st.session_state.setdefault(f"{self.page}:{name}:steps", set())
        if self[name] not in steps:
            kept.add(self[name])
        options = sorted({*steps, *kept})  # type: ignore[type-var]
        key = self._seed(name, tuple(options))
        st.select_slider(
            label, options, key=key, format_func=show, on_change=self._take, args=(name,), **more
        )

    def number(self, name: str, label: str, **more: Any) -> None:
        """Draw a number field; empty where the default is None, and `placeholder` says what holds then."""
        field = self.fields[name]
        key = self._seed(name, field.kind)
        bounds = {"min_value": field.kind(field.least)}
        if math.isfinite(field.most):
            bounds["max_value"] = field.kind(field.most)
        optional = {"value": None} if field.default is None else {}
        st.number_input(label, key=key, on_change=self._take, args=(name,), **bounds, **optional, **more)

    def text(self, name: str, label: str, **more: Any) -> None:
        """Draw a line of text; empty where the default is None, and `placeholder` says what holds then."""
        key = self._seed(name, str)
        st.text_input(label, value=None, key=key, on_change=self._take, args=(name,), **more)

    def toggle(self, name: str, label: str, **more: Any) -> None:
        """Draw a switch."""
        key = self._seed(name, bool)
        st.toggle(label, key=key, on_change=self._take, args=(name,), **more)

    def _seed(self, name: str, shape: object, value: object = None) -> str:
        """Put the input's value into its widget where that shows another, or was drawn otherwise before."""
        key = f"{self.page}_{name}"
        value = self[name] if value is None else value
        before = st.session_state.get(f"{key}:shape")
        if before != shape or key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value
            st.session_state[f"{key}:shape"] = shape
        return key

    def _take_several(self, name: str) -> None:
        self.change(**{name: joined(st.session_state[f"{self.page}_{name}"], self.fields[name].default)})

    def _take(self, name: str) -> None:
        value = st.session_state[f"{self.page}_{name}"]
        # A field that was emptied goes back to its default.
        self.change(**{name: self.fields[name].default if value in (None, "") else value})
