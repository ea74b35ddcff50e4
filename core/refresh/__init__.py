"""Prices of hardware_db/offers.csv from public catalogues, on demand: ``make refresh-prices``.

Nothing of the product imports this: what runs never reaches for other machines.
"""
