"""docs/billing.md shows the settlement table that the code executes."""

from pathlib import Path

from kyma.calls.meter import SETTLEMENT

DOCS = Path(__file__).parents[3] / "docs" / "billing.md"


def test_the_documented_settlement_table_is_the_one_in_force() -> None:
    rows = [
        f"| {outcome.value} | {'yes' if is_reported else 'no'} | {basis.value} |"
        for (outcome, is_reported), basis in SETTLEMENT.items()
    ]
    _, after = DOCS.read_text().split("| outcome | usage reported | charge |\n| --- | --- | --- |\n")
    assert after.split("\n\n")[0].splitlines() == rows
