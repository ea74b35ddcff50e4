"""Config files of training programs for a chosen run: pieces to copy, and what each of them cannot say."""

from core.planning.fragments.accelerate import accelerate_yaml
from core.planning.fragments.deepspeed import deepspeed_json
from core.planning.fragments.fragment import Fragment
from core.planning.fragments.llamafactory import llamafactory_yaml
from core.planning.fragments.peft import peft_python
from core.planning.fragments.torchtune import torchtune_yaml

__all__ = ["FRAGMENTS", "Fragment"]

FRAGMENTS = {
    "peft": peft_python,
    "accelerate": accelerate_yaml,
    "deepspeed": deepspeed_json,
    "llamafactory": llamafactory_yaml,
    "torchtune": torchtune_yaml,
}
"""What writes the fragment of each program from a training run."""
