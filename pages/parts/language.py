"""The language of a visit: what the address asks for, else what the browser asks for, else English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.text import DEFAULT_LANGUAGE, LANGUAGES, text

PARAMETER = "lang"
_WIDGET = "language_choice"


def of_locale(locale: str | None) -> str:
    """Return the language of the product for a browser's *locale*, such as "zh-CN" or "en-GB".

    >>> of_locale("zh-TW"), of_locale("fr"), of_locale(None)
    ('zh', 'en', 'en')
    """
    language = (locale or "").replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


def current() -> str:
    """Return the language of this run: "en" or "zh"."""
    asked = st.query_params.get(PARAMETER)
    if asked in LANGUAGES:
        return str(asked)
    return str(st.session_state.get(PARAMETER) or of_locale(st.context.locale))


def translator() -> Callable[..., str]:
    """Return `t(key, **values)`, which gives the sentence *key* in the language of this run."""
    language = current()

    def t(key: str, /, **values: Any) -> str:
        return text(key, language, **values)

    return t


def settle() -> str:
    """Keep the chosen language in the session and in the address, and return it.

    Called once per run, before the page: an address loses its parameters when another page is opened, and
    a choice that was made on one page holds on the next.
    """
    language = current()
    if st.query_params.get(PARAMETER) in LANGUAGES:
        st.session_state[PARAMETER] = language
    elif PARAMETER in st.session_state:
        st.query_params[PARAMETER] = language
    return language


def _choose() -> None:
    st.query_params[PARAMETER] = st.session_state[_WIDGET]


def switch() -> None:
    """Draw the choice of language; each language is shown under its own name."""
    # Not bound to the address by `bind`: that writes the displayed name ("中文") in place of the code.
    st.session_state[_WIDGET] = current()
    st.segmented_control(
        translator()("shell.language"),
        list(LANGUAGES),
        key=_WIDGET,
        format_func=LANGUAGES.__getitem__,
        required=True,
        label_visibility="collapsed",
        on_change=_choose,
    )
