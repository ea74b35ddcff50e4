"""What deployments cost.

`prices` has what clouds ask for a GPU-hour, `quote` an offer as somebody wrote it. A quote becomes a `bill`: what is
paid in each month, by `renting` or `owning`, under `assumptions`. `cashflow` says what a flow of payments is worth
and where two cross, `tokens` what a million tokens cost, `uncertainty` how far all that may be off, and `compare`
sets quotes side by side.
"""
