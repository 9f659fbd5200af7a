"""What the real Claude CLI does through the gateway."""

import json
import os
import pathlib
import subprocess
import tempfile
import uuid

from checks import Checks, Script, Skipped, equal, expect

checks = Checks()


def claude(context, prompt, *options, folder=None, **environment):
    """Runs `claude -p`: its result, as JSON. Its home and its working folder are its own."""
    program = os.environ.get("CLAUDE_PROGRAM")
    if not program:
        raise Skipped("there is no claude: run scripts/claude-code")
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder or scratch
        done = subprocess.run(
            [program, "-p", "--output-format", "json", "--model", "claude-sonnet-4-5", *options],
            input=prompt, capture_output=True, text=True, cwd=folder, timeout=100, env={
                "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "ANTHROPIC_BASE_URL": context.gateway,
                "ANTHROPIC_API_KEY": context.key, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
                "NO_PROXY": "127.0.0.1", "IS_SANDBOX": "1", **environment})
    expect(done.stdout.strip().startswith("{"), f"exit {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return json.loads(done.stdout)


def answered(result, text):
    expect(not result["is_error"], f"an error: {result.get('result')}")
    expect(text in result["result"], f"the result is {result['result']!r}")


@checks.check("claude -p", bound=110)
def plain(context):
    script = Script()
    answered(claude(context, str(script)), "Hello")
    calls = [call for call in context.upstream.calls(script.id) if json.loads(call["body"]).get("tools")]
    equal(len(calls), 1, "the number of paid calls")
    expect(context.key not in json.dumps(calls), "the client's key went upstream")


@checks.check("claude -p by a bearer token, lean", bound=110)
def bearer(context):
    script = Script()
    result = claude(context, str(script), "--system-prompt", "Be terse.", "--tools", "", "--max-turns", "1", "--setting-sources", "",
                    ANTHROPIC_AUTH_TOKEN=context.key, ANTHROPIC_API_KEY="")
    answered(result, "Hello")
    equal(context.upstream.count(script.id), 1, "the number of paid calls")


@checks.check("claude -p with a tool, resumed", bound=110)
def tool(context):
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, "made-by-the-tool")
        script = Script(tool={"name": "Bash", "arguments": {"command": f"echo done > {made}", "description": "Make the file"}},
                        text=["The tool ", "has run."])
        session = str(uuid.uuid4())
        result = claude(context, str(script), "--allowedTools", "Bash", "--session-id", session, folder=folder)
        answered(result, "The tool has run.")
        expect(made.exists(), "the tool did not run")
        again = Script(text=["Still ", "here."])
        answered(claude(context, str(again), "--resume", session, folder=folder), "Still here.")
        expect(script.id in context.upstream.calls(again.id)[-1]["body"], "the resumed session lost its past")


@checks.check("claude -p over a provider that is overloaded once: the queue tries again", bound=110)
def broken(context):
    script = Script(fail={"times": 1, "status": 529})
    answered(claude(context, str(script), "--tools", "", "--system-prompt", "Be terse."), "Hello")
    equal(context.upstream.count(script.id), 2, "the number of calls")


@checks.check("claude -p over the local model", bound=110)
def local(context):
    if not os.environ.get("LOCAL_MODEL"):
        raise Skipped("scripts/local-models does not run")
    result = claude(context, "Say hello, in one word.", "--model", "local/smollm2", "--bare", "--tools", "", "--max-turns", "1",
                    "--system-prompt", "You answer in one word.", CLAUDE_CODE_MAX_OUTPUT_TOKENS="64",
                    ANTHROPIC_CUSTOM_HEADERS="x-agent-queue-unsupported: drop")
    # So small a model often finds no end, which the CLI takes for an error; it has read the whole answer then too.
    at_limit = "exceeded the 64 output token maximum" in result["result"]
    expect(at_limit or not result["is_error"] and result["result"].strip(), f"the result is {result['result']!r}")
    return "an answer as long as it may be" if at_limit else ""


if __name__ == "__main__":
    checks.main("claude", at_once=2)
