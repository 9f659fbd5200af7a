"""Runs the checks of all clients against one gateway, those of faults beside them, then the kills. scripts/clients makes the environments and calls this."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import upstream
from gateway import PROVIDER_KEY, Gateway

HERE = pathlib.Path(__file__).parent
SUITE_SECONDS = 240
LARGE_SECONDS = 2_000
ALONE = ("attack", "unreliable", "storage", "errors", "wire", "batches")


def run(label, command, environment={}, seconds=SUITE_SECONDS):
    """Runs one client's checks; what failed."""
    try:
        code = subprocess.run(
            command, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "127.0.0.1", **environment}, timeout=seconds
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"FAILED  {label}: no end within {seconds} s", flush=True)
        code = 1
    return [label] if code else []


def local_model_answers(url):
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=3):
            return True
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--environments", required=True, help="the folder of the virtual environments")
    parser.add_argument("--only", default="", help="only the clients whose name has this, and the checks after a colon")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--keep", action="store_true", help="keep the scratch folder")
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix="agent-queue-clients.")
    try:
        failed = run_all(arguments, folder)
    finally:
        if arguments.keep:
            print(f"clients: all files are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"clients: {'FAILED: ' + ', '.join(failed) if failed else 'all checks hold'} ({time.monotonic() - began:.0f} s)", flush=True)
    sys.exit(1 if failed else 0)


def run_all(arguments, folder):
    """Runs what was asked for, with its files in the folder; the names of what failed."""
    only, _, check = arguments.only.partition(":")
    url, _ = upstream.start()
    failed = []
    gateway = Gateway(arguments.program, pathlib.Path(folder, "gateway"), url)
    gateway.start()
    try:
        asked = ["--gateway", gateway.url, "--upstream", url, "--key", gateway.key, "--only", check,
                 "--program", arguments.program, "--folder", folder]
        chat_url = os.environ.get("AGENT_QUEUE_TEST_CHAT_URL", "http://127.0.0.1:8089/v1")
        environment = {"LOCAL_MODEL": "1"} if local_model_answers(chat_url) else {}
        chosen = [name for name in arguments.names if only in name and not name.startswith("faults-")]
        checked = lambda name: run(name, [interpreter(arguments, name), str(HERE / f"{name.split('-')[0]}_checks.py"), *asked], environment,
                                   LARGE_SECONDS if name == "large" else SUITE_SECONDS)
        # These have gateways of their own, and mostly wait: they go on beside the others.
        with ThreadPoolExecutor(2) as pool:
            alone = pool.map(checked, [name for name in chosen if name in ALONE])
            failed += sum([checked(name) for name in chosen if name not in ALONE] + list(alone), [])
        failed += end(gateway)
    finally:
        gateway.kill()
        if failed:
            print(f"clients: the end of the gateway's log:\n{gateway.log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
    for name in arguments.names:
        if only in name and name.startswith("faults-"):
            sdk = name.removeprefix("faults-")
            failed += run(name, [interpreter(arguments, sdk), str(HERE / "faults.py"), "--sdk", sdk.split("-")[0],
                                 "--program", arguments.program, "--folder", folder, "--upstream", url,
                                 "--kills", str(arguments.kills), "--only", check], seconds=SUITE_SECONDS + 6 * arguments.kills)
    return failed


def interpreter(arguments, name):
    """The Python of the client's environment; clients that are no Python packages have none."""
    python = pathlib.Path(arguments.environments, f"clients-{name}", "bin", "python")
    return str(python) if python.exists() else sys.executable


def end(gateway):
    """Stops the gateway, and looks for secrets in what it has said; what failed."""
    failures = []
    code = gateway.stop()[0]
    if code:
        failures.append(f"it ended with {code} after SIGTERM")
    log = gateway.log.read_text(errors="replace")
    for secret, what in ((gateway.key.split("-", 2)[2], "the client's key"), (PROVIDER_KEY, "the provider's key")):
        if secret in log:
            failures.append(f"its log holds {what}")
    for failure in failures:
        print(f"FAILED  gateway: {failure}", flush=True)
    return ["gateway"] if failures else []


if __name__ == "__main__":
    main()
