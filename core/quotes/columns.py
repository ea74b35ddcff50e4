"""The columns of a table of quotes: what each holds, and how people head it in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.cost.quote import KINDS, MOST_NODES, PERIODS, PERS
from core.text import Sentence, say

Type = Literal["text", "choice", "count", "number", "date"]
"""What a cell holds: count is a whole number."""

CURRENCIES = (
    *("USD", "EUR", "CNY", "GBP", "JPY", "CHF", "INR", "KRW", "TWD", "HKD", "SGD", "CAD", "AUD"),
    *("AED", "SAR", "SEK", "NOK", "DKK", "PLN", "BRL", "MYR", "THB", "IDR", "VND", "ILS", "TRY"),
)
"""Currencies that a page proposes; any code of three letters is taken."""

MOST_TEXT = 2000
"""Characters of a text, at most."""


@dataclass(frozen=True)
class Column:
    """One column; `key` is the field of `core.cost.quote.Quote` that it fills.

    A `required` column has no default. `choices` are the values of a choice, and proposals for the currency.
    Numbers lie from `least` to `most`, above `least` where `above`. `spellings` are headers that mean it, beside
    its key and its labels.
    """

    key: str
    type: Type
    default: object = None
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float = 0.0
    most: float = 0.0
    above: bool = False
    spellings: tuple[str, ...] = ()

    @property
    def label(self) -> Sentence:
        """The header under which it is shown and written."""
        return say(f"quotes.column.{self.key}")

    @property
    def help(self) -> Sentence:
        """What to write, with its unit."""
        return say(f"quotes.help.{self.key}")


def _spelled(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


COLUMNS = (
    Column("name", "text", spellings=_spelled(
        "quote|quote name|offer|offer name|title|label|option|plan|sku|item|product|instance|instance type|offering"
        "|报价名称|名称|方案|报价|产品|型号规格|机型|实例|实例类型|实例规格|套餐")),
    Column("kind", "choice", "on_demand", choices=KINDS, spellings=_spelled(
        "type|way to pay|payment|payment type|purchase type|billing|billing model|billing mode|pricing model"
        "|pricing type|contract|contract type|model of payment|rent or buy|计费方式|付费方式|付款方式|购买方式"
        "|类型|计费类型|采购方式|租购方式|合同类型")),
    Column("gpu", "text", required=True, spellings=_spelled(
        "gpu model|gpu type|gpu name|accelerator|accelerator type|card|graphics card|gpus|chip|device|hardware"
        "|显卡|显卡型号|gpu型号|gpu 型号|gpu类型|卡型号|加速卡|加速器|芯片|算力卡|卡型|显卡类型|型号")),
    Column("nodes", "count", 1, least=1, most=MOST_NODES, spellings=_spelled(
        "node count|number of nodes|servers|number of servers|server count|machines|instances|instance count|hosts"
        "|quantity|qty|units|# nodes|count|num nodes"
        "|节点数|节点数量|节点|服务器数|服务器数量|台数|机器数|机器数量|数量|实例数|实例数量")),
    Column("gpus_per_node", "count", 1, least=1, most=1024, spellings=_spelled(
        "gpu per node|gpus per server|gpus/node|gpu/node|gpus per instance|gpu count|number of gpus|gpu quantity"
        "|gpus per machine|# gpus|gpus/server|gpu num|num gpus|cards per node|cards per server"
        "|每节点gpu数|每节点卡数|单机卡数|每台卡数|卡数|gpu数|gpu数量|每机卡数|显卡数量|每台gpu数|单节点卡数")),
    Column("price", "number", required=True, least=0.0, most=1e12, above=True, spellings=_spelled(
        "unit price|cost|rate|amount|list price|net price|quoted price|price per unit|fee|charge|hourly price"
        "|hourly rate|monthly price|monthly rate|yearly price|annual price|price per hour|price per month|price per gpu"
        "|price per gpu hour|purchase price|total price|rental price"
        "|hourly cost|monthly cost"
        "|单价|价格|报价金额|费用|金额|租金|月租|月租金|年租金|小时单价|月单价|时价|月价|年价|总价|卡时单价|卡时价格|采购价"
        "|含税单价|不含税单价|含税价|不含税价|单卡价格|整机价格|购买价格|每小时价格|每月价格|每年价格")),
    Column("per", "choice", "gpu", choices=PERS, spellings=_spelled(
        "price per|price is for|priced per|pricing unit|unit|price unit|per unit|unit of price|billing unit"
        "|计价单位|单位|计价对象|价格单位|计费单位|计费对象")),
    Column("period", "choice", "hour", choices=PERIODS, spellings=_spelled(
        "billing period|billing cycle|per period|time unit|pricing period|price period|interval|frequency|cycle"
        "|周期|计费周期|付费周期|时间单位|计价周期|付款周期")),
    Column("currency", "choice", "USD", choices=CURRENCIES, spellings=_spelled(
        "curr|ccy|währung|currency code|price currency|币种|货币|币别|货币单位")),
    Column("usd_rate", "number", 1.0, least=1e-7, most=1e4, spellings=_spelled(
        "exchange rate|fx|fx rate|usd per unit|rate to usd|usd rate|dollar rate|usd exchange rate|conversion rate"
        "|汇率|美元汇率|兑美元汇率|折美元汇率")),
    Column("tax", "number", 0.0, least=0.0, most=1.0, spellings=_spelled(
        "vat|tax rate|sales tax|gst|tax %|vat %|vat rate|tax share|税率|税|增值税|增值税率")),
    Column("spot_high", "number", None, least=0.0, most=1e12, above=True, spellings=_spelled(
        "highest spot price|spot max|max spot price|spot price high|peak spot price|spot ceiling|max price"
        "|竞价最高价|最高竞价|现货最高价|最高价|抢占式最高价")),
    Column("hours_per_day", "number", 24.0, least=0.0, most=24.0, above=True, spellings=_spelled(
        "hours a day|hours/day|daily hours|running hours|usage hours per day|h/day|hours per day used"
        "|每日小时数|每天小时数|每日运行小时|每天运行时长|日运行小时数|小时/天")),
    Column("commitment_months", "count", 0, least=0, most=240, spellings=_spelled(
        "commitment|term|contract term|commitment (months)|term months|contract months|minimum term|months"
        "|contract length|commitment term|min term|lock-in"
        "|承诺期|承诺月数|合同期|租期|合同月数|最短租期|租期(月)|起租期|合同期限")),
    Column("delivery_days", "count", 0, least=0, most=3650, spellings=_spelled(
        "delivery|lead time|delivery time|lead time days|days to deliver|delivery in days|available in|eta"
        "|交付天数|交期|交货期|交付周期|货期|交付时间|到货天数")),
    Column("egress_usd_gb", "number", 0.0, least=0.0, most=1000.0, spellings=_spelled(
        "egress|egress price|data transfer|egress per gb|egress $/gb|traffic price|bandwidth price|transfer out"
        "|流量费|出网流量费|流量单价|出口流量单价|出流量费")),
    Column("storage_usd_gb_month", "number", 0.0, least=0.0, most=1000.0, spellings=_spelled(
        "storage|storage price|storage per gb month|storage $/gb-month|disk price|storage cost"
        "|存储费|存储单价|存储价格|存储费用|硬盘价格")),
    Column("region", "text", None, spellings=_spelled(
        "location|zone|availability zone|datacenter|data center|country|site"
        "|地域|地区|区域|可用区|机房|所在地|数据中心")),
    Column("as_of", "date", None, spellings=_spelled(
        "date|quote date|day|as of|quoted on|date of quote|dated|offer date|日期|报价日期|报价时间|报价日")),
    Column("source", "text", "", spellings=_spelled(
        "vendor|supplier|provider|cloud|cloud provider|company|from|quoted by|seller|reseller|dealer"
        "|来源|供应商|厂商|云厂商|服务商|云服务商|厂家|报价方|商家|卖方|提供商")),
    Column("notes", "text", "", spellings=_spelled(
        "note|comment|comments|remark|remarks|description|details|备注|说明|注释|描述|备注说明")),
)  # fmt: skip
"""The columns in the order of a written table."""

_BY_KEY = {column.key: column for column in COLUMNS}


def column(key: str) -> Column:
    """Return the column with *key*; KeyError where there is none."""
    return _BY_KEY[key]
