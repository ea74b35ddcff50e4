"""One deployment on every accelerator of the catalogue."""

from core.catalog import accelerators
from core.memory.fleet import fleet, layouts_up_to


def test_every_accelerator_has_a_replica_or_a_reason(deploy):
    rows = fleet(deploy("deepseek-ai/DeepSeek-V3", context=32_768))
    assert [row.id for row in rows] == list(accelerators())
    for row in rows:
        assert (row.gpus is None) == (row.reason is not None)
        assert row.gpus is None or (row.tokens > 0 and row.layout)


def test_deepseek_v3_takes_one_node_of_h200_and_two_of_h100(deploy):
    rows = {row.id: row for row in fleet(deploy("deepseek-ai/DeepSeek-V3", context=32_768))}
    assert rows["h200-sxm-141"].gpus == 8 if "h200-sxm-141" in rows else True
    by_name = {row.name: row for row in rows.values()}
    assert by_name["H200 SXM 141GB"].gpus == 8
    assert by_name["H100 SXM 80GB"].gpus == 16


def test_a_card_without_bf16_says_so(deploy):
    rows = {row.id: row for row in fleet(deploy(weights="bf16"))}
    assert "No bf16" in str(rows["t4"].reason)
    assert {row.id: row for row in fleet(deploy(weights="fp16"))}["t4"].gpus is not None


def test_an_engine_for_one_vendor_refuses_the_others(deploy):
    rows = {row.id: row for row in fleet(deploy(engine="tensorrt-llm", weights="bf16"))}
    assert "does not run on AMD" in str(rows["mi300x"].reason)


def test_layouts_divide_the_heads_and_grow(deploy):
    layouts = layouts_up_to(deploy("Qwen/Qwen2.5-0.5B-Instruct"))  # 14 heads
    assert {layout.tp for layout in layouts} == {1, 2}
    assert [layout.gpus for layout in layouts] == sorted(layout.gpus for layout in layouts)
