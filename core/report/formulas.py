"""The arithmetic of core.cost as formulas of a spreadsheet.

`a` gives the cell of an assumption, `q` that of a quote, `g` that of a month (row by name), `own` that of a line of
the same quote and month. Months are columns: 0 is the first day, m ends month m.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Cell = Callable[[str], str]
"""The address of a cell by its name."""

DERIVED_ASSUMPTIONS = ("life", "loan_rate", "loan_term", "instalment", "owed", "resale")
"""What follows from the assumptions alone."""

DERIVED_QUOTE = (
    *("gpus", "usd_all", "usd_once", "usd_hour", "run", "repeated", "utilisation", "rent_month", "servers"),
    *("network_once", "installation_once", "colocation_month", "maintenance_month", "staff_month"),
    *("egress_month", "storage_month", "rest_of_term", "sale_end"),
)
"""What follows from a quote and the assumptions, before any month."""

MONTHS = ("month", "share", "end", "discount", "bought", "loan")
"""Rows above all quotes: what a month is, whatever the quote."""

HOURS = ("busy", "gpu_hours", "used_hours", "kwh", "co2_kg")
FULL = ("busy_full", "used_full", "energy_full")
"""The same as if the GPUs were never idle, which the cost of a saturated deployment needs."""


def of_assumptions(a: Cell) -> Mapping[str, str]:
    """Return the formulas of DERIVED_ASSUMPTIONS."""
    rate, term, left = a("loan_rate"), a("loan_term"), f"MAX({a('loan_term')}-{a('horizon_months')},0)"
    age = f"({a('horizon_months')}-{a('life')}*INT((ROUNDUP({a('horizon_months')},0)-1)/{a('life')}))"
    return {
        "life": f"12*{a('depreciation_years')}",
        "loan_rate": f"{a('financing_rate')}/12",
        "loan_term": f"MAX({a('financing_months')},1)",
        "instalment": f"IF({rate}>0.000000001,{rate}/(1-(1+{rate})^(-{term})),1/{term})",
        "owed": f"{a('instalment')}*IF({rate}>0.000000001,(1-(1+{rate})^(-{left}))/{rate},{left})",
        "resale": f"MIN({a('residual')}^({age}/36),MAX(1-{age}/{a('life')},0))",
    }


def of_quote(q: Cell, a: Cell) -> Mapping[str, str]:
    """Return the formulas of DERIVED_QUOTE."""
    bought, nodes = f'{q("kind")}="purchase"', f"({q('nodes')}+{a('spare_nodes')})"
    fabric = f"IF({q('nodes')}>1,{a('network_usd')},0)"
    hours = f'IF({q("period")}="hour",1,IF({q("period")}="month",730,8760))'
    count = f'IF({q("per")}="gpu",{q("gpus")},IF({q("per")}="node",{q("nodes")},1))'
    price = f"{q('price')}*{a('price')}*{count}*{q('usd_rate')}*(1+{q('tax')})"
    switched = f'AND(OR({q("kind")}="on_demand",{q("kind")}="spot"),{q("period")}="hour")'
    busy = f"MIN(1,{q('rate')}/({q('stable')}*{a('speed')}))"
    rated = f"{q('gpus')}*{q('watts')}/1000*(1+{a('power_overhead')})"
    beyond = f"MAX({q('commitment_months')}-{a('horizon_months')},0)"
    return {
        "gpus": f"{q('nodes')}*{q('gpus_per_node')}",
        "usd_all": price,
        "usd_once": f'IF({q("period")}="once",{q("usd_all")},0)',
        "usd_hour": f'IF({q("period")}="once",0,{q("usd_all")}/{hours})',
        "run": f"IF({switched},{q('hours_per_day')}/24,1)",
        "repeated": f'IF({q("kind")}="spot",1+{a("spot_interruption")},1)',
        "utilisation": f'IF({q("rate")}="",{a("utilisation")},{busy})',
        "rent_month": f"{q('usd_hour')}*730*{q('run')}*{q('repeated')}",
        "servers": f"IF({bought},{q('usd_once')}*{nodes}/{q('nodes')},0)",
        "network_once": f"IF({bought},{nodes}*{fabric},0)",
        "installation_once": f"IF({bought},{nodes}*({a('installation_usd')}+{a('rack_usd')}),0)",
        "colocation_month": f"IF({bought},{rated}*{a('colo_usd_kw_month')},0)",
        "maintenance_month": f"{q('servers')}*{a('maintenance')}/12",
        "staff_month": f"IF({bought},{a('staff_fte')}*MAX(1,{q('nodes')}/8)*{a('staff_usd')}/12,0)",
        "egress_month": f"{q('egress_usd_gb')}*{a('egress_gb_month')}",
        "storage_month": f"{q('storage_usd_gb_month')}*{a('storage_gb')}",
        "rest_of_term": f"IF({bought},0,{q('rent_month')}*{beyond})",
        "sale_end": f"{q('servers')}*{a('resale')}",
    }


def of_month(g: Cell, a: Cell) -> Mapping[str, str]:
    """Return the formulas of MONTHS but for the number of the month itself."""
    month, horizon, life = g("month"), a("horizon_months"), a("life")
    again = f"IF({month}<{horizon},INT({month}/{life})-INT(MAX({month}-1,0)/{life}),0)"
    paid = f"IF({month}>0,MAX(0,MIN(1,MIN({a('financing_months')},{horizon})-({month}-1))),0)"
    loan = f"{a('instalment')}*{paid}+{a('owed')}*{g('end')}"
    return {
        "share": f"IF({month}>0,MAX(0,MIN(1,{horizon}-({month}-1))),0)",
        "end": f"IF({month}=ROUNDUP({horizon},0),1,0)",
        "discount": f"(1+{a('discount_rate')})^(-{month}/12)",
        "bought": f"IF({a('financing_months')}>0,0,IF({month}=0,1,0))+{again}",
        "loan": f"IF({a('financing_months')}>0,{loan},0)",
    }


def of_line(q: Cell, a: Cell, g: Cell, own: Cell) -> Mapping[str, str]:
    """Return the formulas of HOURS, of LINES of core.cost.bill and of FULL, for one quote and month."""
    month, share, first = g("month"), g("share"), f"IF({g('month')}=0,1,0)"
    bought = f'{q("kind")}="purchase"'
    grown = f"(1+{a('growth')})^(MAX({month}-1,0)/12)"
    term = f"IF({q('commitment_months')}>0,MOD({month},{q('commitment_months')}),{month})"
    begins = f"IF(AND({month}<{a('horizon_months')},{term}=0),1,0)"
    hours = f"{q('gpus')}*730*{share}"
    energy = _energy(q, a, hours)
    return {
        "busy": f"MIN({q('utilisation')}*{grown},{q('run')})",
        "gpu_hours": f"{hours}*{q('run')}",
        "used_hours": f"{hours}*{own('busy')}",
        "kwh": energy(own("busy")),
        "co2_kg": f"{own('kwh')}*{a('grid_g_kwh')}/1000",
        "hardware": f"{q('servers')}*{g('bought')}",
        "financing": f"{q('servers')}*{g('loan')}",
        "lease": f"IF({bought},{q('rent_month')}*{share},0)",
        "network": f"{q('network_once')}*{first}",
        "installation": f"{q('installation_once')}*{first}",
        "rent": f"IF({bought},0,{q('rent_month')}*{share}+{q('usd_once')}*{begins})",
        "committed": f"{q('rest_of_term')}*{g('end')}",
        "energy": f"IF({bought},{own('kwh')}*{a('usd_kwh')},0)",
        "colocation": f"{q('colocation_month')}*{share}",
        "maintenance": f"{q('maintenance_month')}*{share}",
        "staff": f"{q('staff_month')}*{share}",
        "egress": f"{q('egress_month')}*{share}",
        "storage": f"{q('storage_month')}*{share}",
        "sale": f"-{q('sale_end')}*{g('end')}",
        "busy_full": f"MIN({grown},{q('run')})",
        "used_full": f"{hours}*{own('busy_full')}",
        "energy_full": f"IF({bought},({energy(own('busy_full'))})*{a('usd_kwh')},0)",
    }


def of_results(q: Cell, a: Cell, total: Cell) -> Mapping[str, str]:
    """Return the formulas of the results of one quote; *total* is the sum of a line over all months.

    A result that nobody knows, or that divides by nothing, is an empty text.
    """
    tokens = f"({q('input_tokens')}+{q('output_tokens')})"
    rate = f"3600/{q('gpus')}*{q('stable')}*{a('speed')}*{tokens}/1000000"
    full = f"({total('total')}-{total('energy')}+{total('energy_full')})"
    mean = f"({q('input_tokens')}+{a('token_split')}*{q('output_tokens')})"
    each, known = "{per_million}", f'{q("stable")}=""'
    served, at_most = f"({total('used_hours')}*{rate})", f"({total('used_full')}*{rate})"
    year = f"/{a('horizon_months')}*12"
    return {
        "sum": total("total"),
        "yearly": f"{total('total')}{year}",
        "present": total("present"),
        "gpu_hour": _ratio(total("total"), total("gpu_hours")),
        "used_gpu_hour": _ratio(total("total"), total("used_hours")),
        "per_million": f'IF({known},"",{_ratio(total("total"), served)})',
        "per_million_input": f'IF({each}="","",{each}*{tokens}/{mean})',
        "per_million_output": f'IF({each}="","",{each}*{tokens}/{mean}*{a("token_split")})',
        "saturated": f'IF({known},"",{_ratio(full, at_most)})',
        "kwh_year": f'IF({q("watts")}="","",{total("kwh")}{year})',
        "co2_year": f'IF({q("watts")}="","",{total("co2_kg")}{year})',
    }


RESULTS = (
    *("sum", "yearly", "present", "gpu_hour", "used_gpu_hour", "per_million", "per_million_input"),
    *("per_million_output", "saturated", "kwh_year", "co2_year"),
)
"""What `of_results` gives, in the order in which it is shown."""


def _energy(q: Cell, a: Cell, hours: str) -> Callable[[str], str]:
    """Return what makes kWh of the share of hours at work: PUE x ((idle + around) x on + (load - idle) x at work)."""
    always = f"({a('power_idle')}+{a('power_overhead')})*{q('run')}"
    more = f"({a('power_load')}-{a('power_idle')})"
    scaled = f"{hours}*{q('watts')}/1000*{q('repeated')}*{a('pue')}"
    return lambda busy: f"{scaled}*({always}+{more}*{busy})"


def _ratio(amount: str, divisor: str) -> str:
    return f'IF({divisor}>0,{amount}/{divisor},"")'
