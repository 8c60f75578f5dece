"""Every suite by name, in the order in which they run. The last three run by name only: they install programs."""

from tests.accept.agents import SUITE as AGENTS
from tests.accept.connect import SUITE as CONNECT
from tests.accept.disconnect import SUITE as DISCONNECT
from tests.accept.failover_dead import SUITE as FAILOVER_DEAD
from tests.accept.failover_midstream import SUITE as FAILOVER_MIDSTREAM
from tests.accept.failover_random import SUITE as FAILOVER_RANDOM
from tests.accept.fuzz import SUITE as FUZZ
from tests.accept.hot_path import SUITE as HOT_PATH
from tests.accept.kill_gateway import SUITE as KILL_GATEWAY
from tests.accept.ledger_crash import SUITE as LEDGER_CRASH
from tests.accept.negative_usage import SUITE as NEGATIVE_USAGE
from tests.accept.pages import SUITE as PAGES
from tests.accept.price_exact import SUITE as PRICE_EXACT
from tests.accept.privacy import SUITE as PRIVACY
from tests.accept.race_cent import SUITE as RACE_CENT
from tests.accept.secrets import SUITE as SECRETS

SUITES = {
    suite.name: suite
    for suite in (
        LEDGER_CRASH,
        KILL_GATEWAY,
        RACE_CENT,
        HOT_PATH,
        PRICE_EXACT,
        NEGATIVE_USAGE,
        FAILOVER_RANDOM,
        FAILOVER_DEAD,
        FAILOVER_MIDSTREAM,
        DISCONNECT,
        PRIVACY,
        SECRETS,
        FUZZ,
        AGENTS,
        CONNECT,
        PAGES,
    )
}
