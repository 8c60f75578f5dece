"""Balances, leases and charges. Others use these names and the functions of `store`, `spool` and `verify`."""

from kyma.ledger.answers import Balance as Balance
from kyma.ledger.answers import CreditShort as CreditShort
from kyma.ledger.answers import HoldClosed as HoldClosed
from kyma.ledger.answers import LedgerAway as LedgerAway
from kyma.ledger.ledger import Ledger as Ledger
from kyma.ledger.ledger import LedgerSettings as LedgerSettings
from kyma.ledger.settlement import Outcome as Outcome
from kyma.ledger.settlement import Settlement as Settlement
