"""What schemathesis finds when it reads /openapi.json and tries everything that it allows, and what it does not."""

import pathlib
import subprocess
import sys
import tempfile
from importlib.metadata import version

from checks import Checks, expect

checks = Checks()
SECONDS = 60


@checks.check("no request makes it fail, and answers are as /openapi.json says", bound=SECONDS + 60)
def everything(context):
    context.needs_route("GET", "/openapi.json")
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(program), "run", context.gateway + "/openapi.json", "--header", f"Authorization: Bearer {context.key}",
             "--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "--max-examples", "50", "--no-shrink",
             "--request-timeout", "30", "--checks",
             "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"],
            cwd=folder, capture_output=True, text=True, timeout=SECONDS + 50)
    expect(done.returncode == 0, done.stdout[-1400:] + done.stderr[-200:])


if __name__ == "__main__":
    checks.main(f"schemathesis {version('schemathesis')}")
