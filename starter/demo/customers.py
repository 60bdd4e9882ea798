"""The customers of the demo, as a firm's records have them."""

import csv
from collections.abc import Iterable
from pathlib import Path

from domain.case.complaint import Complaint
from domain.log.firm_records import Customer


def write_customers(folder: Path, complaints: Iterable[Complaint]) -> Path:
    """A file in *folder* with who holds the accounts of *complaints*: those who complain."""
    path = folder / "customers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, list(Customer.model_fields))
        rows.writeheader()
        for complaint in complaints:
            if complaint.account:
                who = complaint.complainant
                reach = {"email": who.email, "phone": who.phone, "language": complaint.language}
                rows.writerow({"account": complaint.account, "name": who.name, **reach})
    return path
