"""Reports to hand on: one HTML file, a workbook that recalculates, or plain data.

A page goes: `compare` and `simulate` of core.cost -> `report_of` -> `html_report`, `xlsx_report`, `json_report`.
"""

from core.report.content import Report, report_of
from core.report.page import html_report
from core.report.plain import json_report
from core.report.workbook import xlsx_report

__all__ = ["Report", "html_report", "json_report", "report_of", "xlsx_report"]
