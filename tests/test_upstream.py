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


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", ("away", "bounce:5"))
@pytest.mark.parametrize("program", upstream.programs(), ids=lambda program: program.name.replace(" ", "_"))
def test_same_verdicts_as_natively(built, sharing, program, policy):
    native = sharing.native(program.shell(), timeout=program.timeout)
    shared = sharing.run(program.shell(), policy, timeout=3 * program.timeout)
    before = upstream.verdicts(native.stdout + native.stderr, native.returncode)
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
