"""Kubernetes objects of a deployment: legal, complete, and with the engine's own arguments."""

import re
from dataclasses import replace
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.api import deployment_of, parse
from core.catalog import find_accelerator, model_ids
from core.errors import BadRequest
from core.memory.launch import launch
from core.planning.containers import facts, start_seconds
from core.planning.manifest import manifest, object_name
from core.quantities import GIB

LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?")
LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?")
QUANTITY = re.compile(r"[1-9]\d*(Gi)?")
IMAGE = re.compile(r"[a-z0-9./-]+:\w[\w.-]{0,127}")


def of(model="meta-llama/Llama-3.1-8B-Instruct", gpu="h100", **fields):
    return deployment_of(parse({"model": model, "gpu": gpu, "context": 8192, **fields}))


def objects(deployment, replicas=2, **options):
    return list(yaml.safe_load_all(manifest(deployment, replicas, **options)))


def pod_of(workload, role="leader"):
    spec = workload["spec"]
    return spec["template"] if "template" in spec else spec["leaderWorkerTemplate"][f"{role}Template"]


def engine_of(workload, role="leader"):
    (container,) = pod_of(workload, role)["spec"]["containers"]
    return container


def parts(tree):
    """Yield every mapping inside *tree*."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from parts(branch)


CASES = [
    {},
    {"tp": 4, "replicas": 3},
    {"engine": "sglang", "model": "Qwen/Qwen3-235B-A22B", "tp": 8},
    {"engine": "sglang", "model": "deepseek-ai/DeepSeek-V3", "tp": 16},
    {"engine": "tensorrt-llm", "tp": 2},
    {"engine": "tensorrt-llm", "model": "deepseek-ai/DeepSeek-V3", "dp": 8, "ep": 8, "attention_dp": True},
    {"engine": "llama.cpp", "weights": "q4_k_m", "engine_version": "b5002"},
    {"gpu": "mi300x"},
    {"gpu": "mi300x", "engine": "llama.cpp", "weights": "q8_0"},
    {"gpu": "gb200", "tp": 8},
    {"gpu": {"memory_gib": 79.2}},
    {"model": "deepseek-ai/DeepSeek-V3", "tp": 8, "pp": 2},
    {"model": "deepseek-ai/DeepSeek-V3", "tp": 1, "dp": 16, "ep": 16, "attention_dp": True},
]


@pytest.fixture(params=CASES, ids=str)
def case(request):
    fields = dict(request.param)
    replicas = fields.pop("replicas", 2)
    deployment = of(**fields)
    return deployment, replicas, objects(deployment, replicas)


def test_three_objects_select_the_pods_that_answer(case):
    _, replicas, (workload, service, budget, *_) = case
    assert workload["kind"] in {"Deployment", "LeaderWorkerSet"}
    assert workload["spec"]["replicas"] == replicas
    assert (service["kind"], budget["kind"]) == ("Service", "PodDisruptionBudget")
    labels = pod_of(workload)["metadata"]["labels"]
    assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["ports"][0]["targetPort"] == engine_of(workload)["ports"][0]["name"]
    assert len({found["metadata"]["name"] for found in (workload, service, budget)}) == 1


def test_names_labels_and_quantities_are_legal(case):
    for found in case[2]:
        assert LABEL_1035.fullmatch(found["metadata"]["name"])
        for part in parts(found):
            for key in ("labels", "matchLabels", "nodeSelector", "selector"):
                for name, value in part.get(key, {}).items() if isinstance(part.get(key), dict) else ():
                    if key == "selector" and name == "matchLabels":
                        continue
                    assert LABEL_KEY.fullmatch(name), name
                    assert LABEL_VALUE.fullmatch(value), value
            for key in ("requests", "limits"):
                assert all(QUANTITY.fullmatch(value) for value in part.get(key, {}).values())
            assert IMAGE.fullmatch(part.get("image", "a:1"))
            assert not part.get("image", "").endswith("latest")


def test_the_engine_gets_the_arguments_of_its_launch_command(case):
    deployment, _, (workload, *_) = case
    words = list(launch(deployment, folder="/etc/engine").words)
    container = engine_of(workload)
    assert container["args"][: len(words)] == words
    assert container["args"][len(words) : len(words) + 4] == ["--host", "0.0.0.0", "--port", "8000"]  # noqa: S104
    assert all(isinstance(word, str) for word in container["args"])
    if deployment.engine.name != "llama.cpp":
        assert container["command"] == list(launch(deployment).program)


def test_options_in_a_file_are_mounted_where_the_engine_reads_them(case):
    deployment, _, (workload, *others) = case
    container, spec = engine_of(workload), pod_of(workload)["spec"]
    maps = [one for one in others if one["kind"] == "ConfigMap"]
    assert bool(maps) == (deployment.engine.name == "tensorrt-llm" and deployment.layout.attention_dp)
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert ("options" in mounts) == bool(maps)
    for one in maps:
        (volume,) = [each for each in spec["volumes"] if each["name"] == "options"]
        assert volume["configMap"]["name"] == one["metadata"]["name"]
        (file,) = one["data"]
        assert f"{mounts['options']}/{file}" in container["args"]
        assert yaml.safe_load(one["data"][file])["enable_attention_dp"] is True


def test_all_gpus_of_a_replica_are_asked_for(case):
    deployment, _, (workload, *_) = case
    name = "amd.com/gpu" if deployment.device.vendor == "AMD" else "nvidia.com/gpu"
    resources = engine_of(workload)["resources"]
    pods = workload["spec"].get("leaderWorkerTemplate", {}).get("size", 1)
    assert int(resources["limits"][name]) * pods == deployment.layout.gpus
    assert resources["requests"][name] == resources["limits"][name]
    assert {"cpu", "memory"} < set(resources["requests"])


def test_a_pod_has_shared_memory_and_waits_for_its_checkpoint(case):
    container = engine_of(case[2][0])
    volumes = {volume["name"]: volume for volume in pod_of(case[2][0])["spec"]["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"  # noqa: S108
    assert set(mounts.values()) == set(volumes)
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= start_seconds(0)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http"}


def test_a_large_checkpoint_gets_more_time():
    small = engine_of(objects(of())[0])["startupProbe"]["failureThreshold"]
    large = engine_of(objects(of("deepseek-ai/DeepSeek-V3", tp=8))[0])["startupProbe"]["failureThreshold"]
    assert 39 <= small <= 45  # 16 GB in 96 s and 300 s to warm up
    assert large == pytest.approx((688.6 * 6 + 300) / 10, abs=3)


def test_the_text_has_no_anchors_and_the_token_is_a_reference():
    text = manifest(of(), 2, secret="my-token")  # noqa: S106
    assert "&id" not in text
    assert "*id" not in text
    reference = engine_of(next(yaml.safe_load_all(text)))["env"][0]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "my-token", "key": "token", "optional": True}


def test_pods_go_to_nodes_with_the_device():
    assert pod_of(objects(of())[0])["spec"]["nodeSelector"] == {
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"
    }
    assert "nodeSelector" not in pod_of(objects(of(gpu={"memory_gib": 79.2}))[0])["spec"]


def test_a_claim_keeps_checkpoints():
    workload = objects(of(), claim="models")[0]
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "models"}} in pod_of(workload)["spec"][
        "volumes"
    ]
    assert "ephemeral-storage" not in engine_of(workload)["resources"]["requests"]
    assert "ephemeral-storage" in engine_of(objects(of())[0])["resources"]["requests"]


def test_llama_cpp_finds_its_file_on_a_claim():
    workload = objects(of(engine="llama.cpp", weights="q4_k_m", engine_version="b5002"))[0]
    container = engine_of(workload)
    assert container["image"] == "ghcr.io/ggml-org/llama.cpp:server-cuda-b5002"
    assert container["command"] == ["/app/llama-server"]
    assert container["workingDir"] == "/models"
    assert container["args"][:2] == ["--model", "Llama-3.1-8B-Instruct-Q4_K_M.gguf"]
    assert "llama-3-1-8b-instruct-models" in str(pod_of(workload)["spec"]["volumes"])


@pytest.mark.parametrize(
    ("fields", "image"),
    [
        ({"engine_version": "0.8"}, "vllm/vllm-openai:v0.8.0"),
        ({"engine_version": "v0.8.5.post1"}, "vllm/vllm-openai:v0.8.5.post1"),
        ({"engine_version": "0.8.5; rm -rf /"}, "vllm/vllm-openai:v0.8.5"),
        ({"engine": "sglang", "engine_version": "0.4.6"}, "lmsysorg/sglang:v0.4.6-cu124"),
        ({"engine": "sglang"}, "lmsysorg/sglang:v0.5.6"),
        ({"engine": "tensorrt-llm"}, "nvcr.io/nvidia/tensorrt-llm/release:1.2.0"),
        ({"gpu": "mi300x"}, "vllm/vllm-openai-rocm:v0.21.0"),
    ],
)
def test_images_are_pinned_to_the_version_that_was_sized(fields, image):
    assert engine_of(objects(of(**fields))[0])["image"] == image


def test_stages_of_a_pipeline_go_to_several_nodes():
    workload = objects(of("deepseek-ai/DeepSeek-V3", tp=8, pp=2))[0]
    assert workload["apiVersion"] == "leaderworkerset.x-k8s.io/v1"
    assert workload["spec"]["leaderWorkerTemplate"]["size"] == 2
    leader, worker = engine_of(workload)["args"], engine_of(workload, "worker")["args"]
    assert leader[-6:] == [
        *("--nnodes", "$(LWS_GROUP_SIZE)", "--node-rank", "$(LWS_WORKER_INDEX)"),
        *("--master-addr", "$(LWS_LEADER_ADDRESS)"),
    ]
    assert worker == [*leader, "--headless"]
    assert "startupProbe" not in engine_of(workload, "worker")
    assert engine_of(workload, "worker")["securityContext"]["capabilities"]["add"] == ["IPC_LOCK"]
    roles = {
        role: pod_of(workload, role)["metadata"]["labels"]["app.kubernetes.io/component"]
        for role in ("leader", "worker")
    }
    assert roles == {"leader": "leader", "worker": "worker"}


def test_data_parallel_ranks_go_to_several_nodes():
    workload = objects(of("deepseek-ai/DeepSeek-V3", dp=16, ep=16, attention_dp=True))[0]
    leader, worker = engine_of(workload), engine_of(workload, "worker")
    assert "--data-parallel-size-local" in leader["args"]
    assert leader["args"][leader["args"].index("--data-parallel-size-local") + 1] == "8"
    assert worker["command"][:3] == [
        "sh",
        "-c",
        'exec "$@" --data-parallel-start-rank $((LWS_WORKER_INDEX * 8))',
    ]
    assert worker["command"][3:] == ["sh", "vllm", "serve"]
    assert worker["args"][-1] == "--headless"


def test_sglang_joins_its_nodes():
    workload = objects(of("deepseek-ai/DeepSeek-V3", engine="sglang", tp=16))[0]
    args = engine_of(workload, "worker")["args"]
    assert args == engine_of(workload)["args"]
    assert args[args.index("--dist-init-addr") + 1] == "$(LWS_LEADER_ADDRESS):20000"
    assert args[args.index("--tp-size") + 1] == "16"


def test_nodes_are_filled_evenly():
    workload = objects(of("Qwen/Qwen2.5-72B-Instruct", tp=4, pp=3))[0]
    assert workload["spec"]["leaderWorkerTemplate"]["size"] == 2
    assert engine_of(workload)["resources"]["limits"] == {"nvidia.com/gpu": "6"}
    small = objects(of(tp=4), gpus_per_node=2)[0]
    assert small["spec"]["leaderWorkerTemplate"]["size"] == 2


@pytest.mark.parametrize(
    ("fields", "options", "field"),
    [
        ({"engine": "transformers"}, {}, "engine"),
        ({"gpu": None}, {}, "gpu"),
        ({"gpu": "rpi5", "engine": "llama.cpp", "weights": "q4_k_m"}, {}, "gpu"),
        ({"gpu": "m4-max-128", "engine": "llama.cpp", "weights": "q4_k_m"}, {}, "gpu"),
        ({"gpu": "mi300x", "engine": "tensorrt-llm"}, {}, "gpu"),
        ({"gpu": "tpu-v5e"}, {}, "gpu"),
        ({"engine": "tensorrt-llm", "tp": 8, "pp": 2}, {}, "engine"),
        ({"engine_version": "0.9.0", "tp": 8, "pp": 2}, {}, "engine"),
        ({}, {"port": 0}, "port"),
        ({}, {"port": 70_000}, "port"),
        ({}, {"replicas": 0}, "replicas"),
    ],
)
def test_what_cannot_run_in_a_cluster_is_refused(fields, options, field):
    deployment = of(**fields)
    if fields.get("gpu", "h100") is None:
        deployment = replace(deployment, device=None)
    with pytest.raises(BadRequest) as refused:
        objects(deployment, **options)
    assert refused.value.field == field
    for language in ("en", "zh"):
        assert refused.value.sentence.render(language)


def test_comments_speak_the_language_and_stay_comments():
    deployment = of("deepseek-ai/DeepSeek-V3", tp=8, pp=2)
    hostile = replace(deployment, model=replace(deployment.model, name="a\nkind: Secret $(HF_TOKEN)"))
    text = manifest(hostile, 1, language="zh")
    assert "副本" in text
    workload = next(yaml.safe_load_all(text))
    assert workload["kind"] == "LeaderWorkerSet"
    assert engine_of(workload)["args"][0] == "a\nkind: Secret $$(HF_TOKEN)"
    assert manifest(deployment, 1).count("\n---\n") == 3


@pytest.mark.parametrize("model", model_ids())
def test_every_model_has_a_legal_name(model):
    assert LABEL_1035.fullmatch(object_name(model))


@given(st.text(max_size=80))
def test_any_text_gives_a_legal_name(text):
    assert LABEL_1035.fullmatch(object_name(text))


def test_known_names():
    assert object_name("deepseek-ai/DeepSeek-V3") == "deepseek-v3"
    assert object_name("x/" + "a" * 39 + "-b") == "a" * 39


def test_product_labels_name_the_devices_that_the_drivers_print():
    for id_, label in facts()["products"].items():
        assert find_accelerator(label).id == id_
    assert isinstance(facts()["as_of"], date)


def test_requests_stay_within_a_small_instance():
    requests = engine_of(objects(of(gpu="l4", model="Qwen/Qwen2.5-7B-Instruct"))[0])["resources"]["requests"]
    assert int(requests["cpu"]) < 4
    assert int(requests["memory"].removesuffix("Gi")) * GIB < 16 * GIB
