"""Feed-forward blocks: a dense MLP, and a mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.architecture.tensors import Role, TensorGroup, matrix, vector


@dataclass(frozen=True)
class Mlp:
    """Two matrices, or three where the first is gated (SwiGLU, GeGLU)."""

    hidden: int
    inner: int
    gated: bool = True
    bias: bool = False

    def tensors(self, role: Role = "mlp", name: str = "mlp") -> list[TensorGroup]:
        """Return the tensors of one layer."""
        groups = [
            matrix(f"{name}.up", self.inner, self.hidden, role, "column"),
            matrix(f"{name}.down", self.hidden, self.inner, role, "row"),
        ]
        if self.gated:
            groups.insert(0, matrix(f"{name}.gate", self.inner, self.hidden, role, "column"))
        if self.bias:
            # Gated or not, each output has a bias.
            width = self.inner * (2 if self.gated else 1)
            groups += [
                vector(f"{name}.up_bias", width, role, "column"),
                vector(f"{name}.down_bias", self.hidden, role),
            ]
        return groups


@dataclass(frozen=True)
class MixtureOfExperts:
    """`experts` MLPs of which a router picks `chosen` for each token, and a shared one that all tokens use."""

    hidden: int
    inner: int
    experts: int
    chosen: int
    shared_inner: int = 0
    shared_gate: bool = False
    router_bias: bool = False
    gated: bool = True
    bias: bool = False
    beside: Mlp | None = None
    """A dense MLP beside the experts, with norms around both, where a layer has both (Gemma 4)."""
    latent: int = 0
    """The width in which experts work, where a projection leads down to it and one back (Nemotron 3, Kimi K3)."""
    latent_norm: bool = False

    def tensors(self) -> list[TensorGroup]:
        """Return router, experts and shared expert of one layer."""
        groups = [matrix("router", self.experts, self.hidden, "router", "replicated")]
        if self.router_bias:
            groups.append(vector("router_bias", self.experts, "router"))
        share = self.chosen / self.experts
        module = "outer_expert" if self.beside else ""  # beside the MLP, not inside it
        width = self.latent or self.hidden
        for tensor in Mlp(width, self.inner, self.gated, self.bias).tensors("expert", "expert"):
            groups.append(replace(tensor, shard="expert", copies=self.experts, active=share, module=module))
        if self.shared_inner:
            groups += Mlp(self.hidden, self.shared_inner, self.gated).tensors("mlp", "shared_expert")
        if self.shared_gate:
            groups.append(matrix("shared_expert.choice", 1, self.hidden, "router", "replicated"))
        if self.latent:
            groups += [
                matrix("latent.down", self.latent, self.hidden, "mlp", "replicated"),
                matrix("latent.up", self.hidden, self.latent, "mlp", "replicated"),
            ]
        if self.latent_norm:
            groups.append(vector("latent.norm", self.latent))
        if self.beside:
            # Three norms around the two paths, and the scales of the router's input and of each expert.
            groups += [*self.beside.tensors(), vector("beside.vectors", 4 * self.hidden + self.experts)]
        return groups
