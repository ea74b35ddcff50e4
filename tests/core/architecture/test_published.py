"""Parameter counts of the catalogue, held to what the publishers state and to what the models are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from core.architecture import Model, read_model
from core.architecture.checkpoint import checkpoint_format
from core.architecture.formats import checkpoint_bytes
from core.catalog import find_model, model_ids
from core.errors import UnsupportedArchitecture

REFUSED = ("google/gemma-3n-E2B-it", "google/gemma-3n-E4B-it")
READ = [id_ for id_ in model_ids() if id_ not in REFUSED]


@cache
def model(id_: str) -> Model:
    return read_model(find_model(id_).config, id_)


# Published totals: exact counts of safetensors headers and papers where they are given to the last digit
# (tolerance 0.01 %), else the figure of the model card to the digits that it prints (0.6 %).
EXACT = {
    "openai-community/gpt2": 124_439_808,
    "openai-community/gpt2-xl": 1_557_611_200,
    "facebook/opt-125m": 125_239_296,
    "facebook/opt-350m": 331_196_416,
    "facebook/opt-6.7b": 6_658_473_984,
    "bigscience/bloom": 176_247_271_424,
    "bigscience/bloom-560m": 559_214_592,
    "EleutherAI/gpt-neox-20b": 20_554_567_680,
    "EleutherAI/pythia-6.9b": 6_857_302_016,
    "EleutherAI/gpt-j-6b": 6_050_882_784,
    "tiiuae/falcon-7b": 6_921_720_704,
    "tiiuae/falcon-40b": 41_303_293_952,
    "huggyllama/llama-7b": 6_738_415_616,
    "meta-llama/Llama-2-13b-hf": 13_015_864_320,
    "meta-llama/Llama-2-70b-hf": 68_976_648_192,
    "meta-llama/Llama-3.1-8B-Instruct": 8_030_261_248,
    "meta-llama/Llama-3.1-70B-Instruct": 70_553_706_496,
    "meta-llama/Llama-3.1-405B-Instruct": 405_853_388_800,
    "meta-llama/Llama-3.2-1B": 1_235_814_400,
    "meta-llama/Llama-3.2-3B": 3_212_749_824,
    "meta-llama/Llama-3.2-11B-Vision-Instruct": 10_670_220_835,
    "mistralai/Mistral-7B-v0.1": 7_241_732_096,
    "mistralai/Mixtral-8x7B-v0.1": 46_702_792_704,
    "mistralai/Mixtral-8x22B-v0.1": 140_620_634_112,
    "mistralai/Mistral-Nemo-Instruct-2407": 12_247_782_400,
    "Qwen/Qwen2.5-0.5B": 494_032_768,
    "Qwen/Qwen2.5-7B": 7_615_616_512,
    "Qwen/Qwen2.5-72B": 72_706_203_648,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "Qwen/Qwen3-32B": 32_762_123_264,
    "Qwen/Qwen3-30B-A3B": 30_532_122_624,
    "Qwen/Qwen3-235B-A22B": 235_093_634_560,
    "Qwen/Qwen2-VL-7B-Instruct": 8_291_375_616,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "Qwen/Qwen2.5-VL-3B-Instruct": 3_754_622_976,
    "Qwen/Qwen3-VL-8B-Instruct": 8_767_123_696,
    "google/gemma-2b": 2_506_172_416,
    "google/gemma-7b": 8_537_680_896,
    "google/gemma-2-27b-it": 27_227_128_320,
    "google/gemma-3-1b-it": 999_885_952,
    "google/gemma-3-4b-it": 4_300_079_472,
    "google/gemma-3-12b-it": 12_187_325_040,
    "google/gemma-3-27b-it": 27_432_406_640,
    "microsoft/phi-2": 2_779_683_840,
    "microsoft/phi-4": 14_659_507_200,
    "microsoft/Phi-4-mini-instruct": 3_836_021_760,
    "microsoft/Phi-3.5-MoE-instruct": 41_873_153_344,
    "bigcode/starcoder2-15b": 15_957_889_024,
    "allenai/OLMoE-1B-7B-0924-Instruct": 6_919_161_856,
    "databricks/dbrx-instruct": 131_596_523_520,
    "CohereLabs/c4ai-command-r-v01": 34_980_831_232,
    "CohereLabs/c4ai-command-r-plus": 103_810_674_688,
    "deepseek-ai/deepseek-moe-16b-base": 16_375_728_128,
    "deepseek-ai/DeepSeek-V2-Lite": 15_706_484_224,
    "deepseek-ai/DeepSeek-V2": 235_741_434_880,
    "deepseek-ai/DeepSeek-V3": 671_026_419_200,
    "deepseek-ai/DeepSeek-R1": 671_026_419_200,
    "moonshotai/Moonlight-16B-A3B": 15_960_111_936,
    "mistralai/Mistral-Small-3.1-24B-Instruct-2503": 24_011_361_280,
    "openai/gpt-oss-20b": 20_914_757_184,
    "openai/gpt-oss-120b": 116_829_156_672,
    "zai-org/chatglm3-6b": 6_243_584_000,
    "zai-org/glm-4-9b-chat": 9_399_951_392,
    "ai21labs/Jamba-v0.1": 51_570_323_328,
}
CARDS = {  # billions in all, active (None where the card does not say)
    "ai21labs/AI21-Jamba-Large-1.5": (398, 94),
    "baidu/ERNIE-4.5-300B-A47B-PT": (300, None),
    "deepseek-ai/deepseek-vl2": (27.5, None),
    "deepseek-ai/deepseek-vl2-small": (16.1, None),
    "deepseek-ai/deepseek-vl2-tiny": (3.37, None),
    "deepseek-ai/DeepSeek-OCR": (3.34, None),
    "deepseek-ai/DeepSeek-V4-Flash": (284, 13),
    "deepseek-ai/DeepSeek-V4-Pro": (1573, 49),
    "sgl-project/DeepSeek-V4-Flash-FP8": (284, 13),
    "google/gemma-4-26B-A4B": (25.8, 3.8),
    "nvidia/Gemma-4-31B-IT-NVFP4": (31.1, None),
    "hpcai-tech/grok-1": (314, None),
    "ibm-granite/granite-4.0-h-small": (32.2, 9),
    "ibm-granite/granite-4.0-h-tiny": (6.94, None),
    "meta-llama/Llama-3.2-90B-Vision-Instruct": (88.6, None),
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": (108.6, 17.2),
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct": (401.6, 17.2),
    "MiniMaxAI/MiniMax-Text-01": (456, 45.9),
    "MiniMaxAI/MiniMax-M2": (229, 10),
    "MiniMaxAI/MiniMax-M3": (426, 23),
    "mistralai/Mistral-Large-3-675B-Instruct-2512": (673, 39),
    "moonshotai/Kimi-K2-Instruct": (1026, 32),
    "moonshotai/Kimi-VL-A3B-Instruct": (16.4, 2.8),
    "moonshotai/Kimi-Linear-48B-A3B-Instruct": (49.1, 3),
    "moonshotai/Kimi-K3": (2780, None),
    "nvidia/Llama-3_3-Nemotron-Super-49B-v1": (49.9, None),
    "nvidia/Nemotron-H-56B-Base-8K": (56.3, None),
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": (31.6, 3.2),
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4": (120.6, 12.7),
    "nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16": (550, 55),
    "Qwen/Qwen3-Next-80B-A3B-Instruct": (79.7, 3.3),
    "Qwen/Qwen3-Coder-480B-A35B-Instruct": (480, 35),
    "Qwen/Qwen3-VL-235B-A22B-Instruct": (235.7, 22),
    "stepfun-ai/Step-3.7-Flash": (196, 11),
    "tencent/Hunyuan-A13B-Instruct": (80.4, 13),
    "XiaomiMiMo/MiMo-V2-Flash": (309, 15),
    "zai-org/GLM-4.5-Air": (106.9, 12),
    "zai-org/GLM-4.5": (352.8, 32),
    "zai-org/GLM-5": (744, 40),
}


@pytest.mark.parametrize("id_", READ)
def test_every_model_of_the_catalogue_is_read(id_: str) -> None:
    found = model(id_)
    assert found.parameters > found.parameters_of("embedding")
    assert 0 < found.active_parameters <= found.parameters
    assert found.layers == max(layer for group in found.groups for layer in group.layers) + 1
    assert checkpoint_bytes(found, checkpoint_format(found)) > 0
    assert "config.assumed_decoder" not in {warning.key for warning in found.warnings}


@pytest.mark.parametrize("id_", REFUSED)
def test_what_is_not_understood_is_refused_by_name(id_: str) -> None:
    with pytest.raises(UnsupportedArchitecture, match="MatFormer"):
        model(id_)


@pytest.mark.parametrize(("id_", "total"), EXACT.items())
def test_published_count(id_: str, total: int) -> None:
    assert model(id_).parameters == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize(("id_", "figures"), CARDS.items())
def test_count_of_the_model_card(id_: str, figures: tuple[float, float | None]) -> None:
    total, active = figures
    found = model(id_)
    assert found.parameters / 1e9 == pytest.approx(total, rel=6e-3)
    if active is not None:  # cards count embedding and head or leave them out
        ends = found.parameters_of("embedding", "head")
        assert (found.active_parameters - ends) / 1e9 * 0.97 <= active <= found.active_parameters / 1e9 * 1.03


def sizes_in(name: str) -> Iterator[tuple[float, float]]:
    """Yield the sizes that *name* states, with the unit of the last digit: 7 and 1 of "7B", 1.7 and 0.1 of "1b7"."""
    for whole, decimals, unit in re.findall(r"(?<![\w.])(\d+)(?:[._](\d+))?([bmBM])(?![a-zA-Z\d])", name):
        scale = 1e9 if unit in "bB" else 1e6
        yield float(f"{whole}.{decimals or 0}") * scale, 10 ** -len(decimals) * scale
    for whole, decimals in re.findall(r"(?<![\w.])(\d)b(\d)(?![\w])", name):
        yield float(f"{whole}.{decimals}") * 1e9, 1e8


def counts(found: Model) -> list[int]:
    """Return what names count: all, the text model, it without embedding (and head), or what one token uses."""
    text = sum(group.parameters for group in found.text_groups)
    without = text - found.parameters_of("embedding")
    return [found.parameters, text, without, without - found.parameters_of("head"), found.active_parameters]


def test_counts_agree_with_names() -> None:
    """A name says the count rounded or cut to its digits; a few small models are rounded more generously."""
    outliers = []
    for id_ in READ:
        sizes = list(sizes_in(id_.partition("/")[2]))
        agree = [
            abs(count - size) <= max(unit, 0.09 * size)
            for size, unit in sizes
            for count in counts(model(id_))
        ]
        if sizes and not any(agree):
            outliers.append(id_)
    assert not outliers


@pytest.mark.parametrize(
    ("id_", "low", "high"),
    [
        ("deepseek-ai/DeepSeek-V3", 36.5e9, 38e9),
        ("Qwen/Qwen3-30B-A3B", 3e9, 3.4e9),
        ("openai/gpt-oss-120b", 5.1e9, 5.8e9),
    ],
)
def test_active_parameters(id_: str, low: float, high: float) -> None:
    assert low < model(id_).active_parameters < high


@pytest.mark.parametrize(
    ("id_", "total"),
    [  # DeepSeek-V3 README_WEIGHTS: 11.5 B beside embedding and head; Qwen3.5 model cards: 125 B and 403 B in all
        ("deepseek-ai/DeepSeek-V3", 11.6e9),
        ("Qwen/Qwen3.5-122B-A10B", 125.1e9 - 122.56e9),
        ("Qwen/Qwen3.5-397B-A17B", 403.4e9 - 396.8e9),
        ("deepseek-ai/DeepSeek-V2", 0),
    ],
)
def test_parameters_of_multi_token_prediction(id_: str, total: float) -> None:
    assert model(id_).mtp_parameters == pytest.approx(total, rel=0.02)


@pytest.mark.parametrize(
    ("id_", "elements"),
    [  # ISCA 2025 "Insights into DeepSeek-V3", table 1, in 16 bit; DeepSeek-V2: 60 x 576 x 2
        ("deepseek-ai/DeepSeek-V3", 70_272 // 2),
        ("Qwen/Qwen2.5-72B", 327_680 // 2),
        ("meta-llama/Llama-3.1-405B-Instruct", 516_096 // 2),
        ("deepseek-ai/DeepSeek-V2", 69_120 // 2),
        ("meta-llama/Llama-3.1-8B-Instruct", 131_072 // 2),
    ],
)
def test_cached_elements_of_a_token(id_: str, elements: int) -> None:
    assert sum(layout.elements * len(layout.layers) for layout in model(id_).caches) == elements
