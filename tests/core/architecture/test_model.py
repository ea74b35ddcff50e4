from __future__ import annotations

from core.architecture import read_model
from core.catalog import find_model
from tests.core.architecture.conftest import LLAMA, MLA, MOE, changed


def test_active_parameters_leave_out_the_experts_that_are_not_chosen() -> None:
    model = read_model(MOE)
    assert model.parameters - model.active_parameters == 4 * 6 * 3 * 64 * 32
    assert model.is_moe


def test_a_dense_model_is_active_as_a_whole() -> None:
    model = read_model(LLAMA)
    assert model.active_parameters == model.parameters
    assert not model.is_moe
    assert model.mtp_parameters == 0


def test_roles_add_up() -> None:
    model = read_model(MLA)
    assert (
        sum(model.parameters_of(role) for role in {group.role for group in model.groups}) == model.parameters
    )


def test_kinds_of_caches() -> None:
    assert read_model(MLA).has_latent_cache
    assert not read_model(LLAMA).has_latent_cache
    assert not read_model(LLAMA).is_hybrid
    assert read_model(changed(LLAMA, model_type="gemma2", head_dim=8, sliding_window=8)).is_hybrid


def test_towers_are_apart_from_the_text() -> None:
    model = read_model(find_model("google/gemma-3-4b-it").config)
    assert model.multimodal
    assert (
        sum(group.parameters for group in model.text_groups) + model.parameters_of("vision")
        == model.parameters
    )


def test_layers_of_multi_token_prediction_are_apart() -> None:
    model, without = (read_model(changed(MLA, num_nextn_predict_layers=count)) for count in (1, 0))
    assert model.parameters == without.parameters
    assert model.mtp_parameters > 0
    assert {group.layers for group in model.mtp_groups} == {(4,)}
