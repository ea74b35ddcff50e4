"""What came of the inputs of a page, and how it is said where nothing came of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.errors import PlannerError
from pages.parts import language

Translator = Callable[..., str]


class Answered:
    """An answer to the inputs, or in `error` what is wrong with them beside the last answer there was."""

    error: PlannerError | None

    @property
    def stale(self) -> bool:
        """Whether what is shown is older than the inputs."""
        return self.error is not None

    @property
    def waiting(self) -> bool:
        """Whether nothing is wrong yet: a config is still to be given."""
        return self.error is not None and self.error.sentence.key == "size.no_config"


def tell_error(result: Answered, title: str, last: str | None, t: Translator) -> None:
    """Say what is wrong with the inputs, under the sentence *title*; *last* says whose answer is shown instead."""
    if result.error is None:
        return
    message = result.error.sentence.render(language.current())
    if result.waiting:
        st.info(message, icon=":material/upload_file:")
        return
    st.error(message, title=t(title, field=result.error.field or ""), icon=":material/error:")
    if last is not None:
        st.caption(last)


def tell_refused(refused: Mapping[str, str], t: Translator) -> None:
    """Say what an address asked of inputs that they cannot be."""
    if refused:
        listed = ", ".join(f"{name}={given}" for name, given in refused.items())
        st.warning(t("size.bad_link", listed=listed), icon=":material/link_off:")
