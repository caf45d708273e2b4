"""The kernel's own selftests come to the same verdicts when they are shared."""
# SPDX-License-Identifier: GPL-2.0-only

import json

import pytest
import upstream

pytestmark = pytest.mark.long
RESULTS = upstream.OUT / "results"


@pytest.fixture(scope="session")
def built():
    upstream.build()
    RESULTS.mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def natively():
    """Of each program, what it comes to where nothing is shared: asked once, for all policies."""
    verdicts = {}

    def ask(sharing, program: upstream.Program) -> dict:
        if program not in verdicts:
            result = sharing.native(program.shell(), timeout=program.timeout)
            verdicts[program] = upstream.verdicts(result.stdout + result.stderr, result.returncode)
        return verdicts[program]

    return ask


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", ("away", "bounce:5"))
@pytest.mark.parametrize("program", upstream.programs(), ids=lambda program: program.name.replace(" ", "_"))
def test_same_verdicts_as_natively(built, sharing, natively, program, policy):
    before = natively(sharing, program)
    shared = sharing.run(program.shell(), policy, timeout=3 * program.timeout)
    after = upstream.verdicts(shared.stdout + shared.stderr, shared.returncode)
    different = upstream.compare(before, after)
    row = {
        "program": program.name,
        "policy": policy,
        "native": before,
        "shared": after,
        "different": different,
        "differs": program.differs,
        "remote": shared.remote_share,
        "reasons": shared.reasons,
    }
    (RESULTS / f"{program.name.replace('/', '_').replace(' ', '_')}-{policy}.json").write_text(json.dumps(row))
    assert program.differs or not different, "\n".join([*different, shared.stdout[-2000:], shared.stderr[-2000:]])
