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


def run_shared(sharing, program: upstream.Program, policy: str) -> dict:
    """What a program comes to, as a part of its row; one that may differ may also not end."""
    try:
        result = sharing.run(program.shell(), policy, timeout=3 * program.timeout)
    except TimeoutError as late:
        if not program.differs:
            raise
        return {"shared": {"status": "none: it does not end"}, "remote": None, "reasons": {}, "said": str(late)}
    said = result.stdout + result.stderr
    verdicts = upstream.verdicts(said, result.returncode)
    return {"shared": verdicts, "remote": result.remote_share, "reasons": result.reasons, "said": said[-4000:]}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", ("away", "bounce:5"))
@pytest.mark.parametrize("program", upstream.programs(), ids=lambda program: program.name.replace(" ", "_"))
def test_same_verdicts_as_natively(built, sharing, natively, program, policy):
    before = natively(sharing, program)
    row = {"program": program.name, "policy": policy, "native": before, "differs": program.differs}
    row |= run_shared(sharing, program, policy)
    row["different"] = different = upstream.compare(before, row["shared"])
    (RESULTS / f"{program.name.replace('/', '_').replace(' ', '_')}-{policy}.json").write_text(json.dumps(row))
    assert program.differs or not different, "\n".join([*different, row["said"]])
