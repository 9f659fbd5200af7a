"""What an attacker tries: ids and cursors of others, ids that are paths, wrong keys, mutated bodies; then a search for the secrets of the run.

The gateway is the checks' own. All answers are kept, and together with its logs and its database searched for secrets at the end.
"""

import json
import os
import pathlib
import random
import re

from checks import Checks, Context, Script, equal, expect, until
from gateway import PROVIDER_KEY, Gateway
from mutations import BODIES, mutated, torn

checks = Checks()
SEED = int(os.environ.get("CLIENTS_SEED", random.randrange(1 << 30)))
HOOK_SECRET = "whsec_c2VjcmV0LW9mLXRoZS1ob29rLTQ3MTE="
SCOPES = "call,batch,read,operate"
MESSAGES = {"anthropic-version": "2023-06-01"}
answers = []


class Attacked:
    """The gateway under attack, its victim and its attacker."""

    def __init__(self, context):
        hook = f'notifications:\n  hook: {{ url: "{context.arguments.upstream}/hook", secret_env: HOOK_SECRET, max_attempts: 1 }}\n'
        self.gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, "attacked"), context.arguments.upstream, hook)
        self.gateway.environment["HOOK_SECRET"] = HOOK_SECRET
        self.gateway.start()
        self.context = context
        self.keys = {name: re.search(r"aq-\S+", self.gateway.run("keys", "create", name, "--scopes", SCOPES))[0] for name in ("victim", "attacker")}
        self.paths = self.ask("victim", "GET", "/openapi.json").json["paths"]

    def ask(self, who, method, path, value=None, headers={}, body=None):
        if value is not None:
            body = json.dumps(value).encode()
        answer = self.context.of(self.gateway.url, self.keys[who]).http(method, path, headers=headers, body=body)
        answer.json = json.loads(answer.data) if answer.data[:1] == b"{" else None
        answers.append(str(answer.getheaders()).encode() + answer.data)
        return answer

    def made(self, who, method, path, value=None, headers={}, body=None):
        answer = self.ask(who, method, path, value, headers, body)
        expect(answer.status in (200, 201), f"{method} {path} is a {answer.status}: {answer.data[:300]}")
        return answer.json

    def offers(self, path):
        return path in self.paths


def form(content, purpose="user_data", name="notes.txt"):
    """An upload's body."""
    body = (f'--limit\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n--limit\r\ncontent-disposition: form-data; '
            f'name="file"; filename="{name}"\r\ncontent-type: text/plain\r\n\r\n').encode() + content + b"\r\n--limit--\r\n"
    return {"headers": {"content-type": "multipart/form-data; boundary=limit"}, "body": body}


def line(custom_id="one"):
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "scripted", "messages": [{"role": "user", "content": str(Script())}]}}).encode() + b"\n"


def make_response(attacked):
    return attacked.made("victim", "POST", "/v1/responses", {"model": "up-responses/scripted", "input": str(Script())})["id"]


def make_file(attacked):
    return attacked.made("victim", "POST", "/v1/files", **form(b"the victim's own"))["id"]


def make_job(attacked):
    return str(attacked.made("victim", "POST", "/api/jobs?wait=20s", {"prompt": str(Script()), "model": "up/scripted"})["id"])


def make_batch(attacked):
    source = attacked.made("victim", "POST", "/v1/files", **form(line(), "batch", "batch.jsonl"))["id"]
    asked = {"input_file_id": source, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return attacked.made("victim", "POST", "/v1/batches", asked)["id"]


def make_message_batch(attacked):
    request = {"custom_id": "one", "params": {"model": "claude-scripted", "max_tokens": 9, "messages": [{"role": "user", "content": str(Script())}]}}
    return attacked.made("victim", "POST", "/v1/messages/batches", {"requests": [request]}, MESSAGES)["id"]


# What a route with an id is about, by the beginning of its path. A new route needs its line here.
OWNED = {"/v1/responses/": make_response, "/v1/files/": make_file, "/api/jobs/": make_job, "/v1/batches/": make_batch,
         "/v1/messages/batches/": make_message_batch}
OF_NO_KEY = ("/v1/models/", "/api/runs/")


def owned_routes(attacked):
    """Every route with an id that belongs to a key: method, path, and what makes such an id."""
    routes = []
    for path, methods in attacked.paths.items():
        if "{" not in path or path.startswith(OF_NO_KEY):
            continue
        makers = [make for prefix, make in OWNED.items() if path.startswith(prefix)]
        expect(makers, f"nothing here makes an id for {path}: add it to OWNED")
        routes += [(method.upper(), path, makers[0]) for method in methods if method in ("get", "post", "delete", "put", "patch")]
    expect(len(routes) > 8, f"the table has only {routes}")
    return routes


def at(path, identifier):
    return re.sub(r"\{[^}]+\}", lambda _: identifier, path)


@checks.check("an id of another key is not found on any route, and nothing happens to what it names", bound=90)
def others_ids(context):
    attacked = context.attacked
    routes = owned_routes(attacked)
    made = {make: make(attacked) for make in {make for _, _, make in routes}}
    read = {make: next(path for method, path, other in routes if other is make and method == "GET") for make in made}
    for method, path, make in routes:
        for headers in ({}, MESSAGES):
            answer = attacked.ask("attacker", method, at(path, made[make]), {} if method == "POST" else None, headers)
            equal(answer.status, 404, f"{method} {path} with {headers} and another's id")
            unknown = attacked.ask("attacker", method, at(path, "987654" if make is make_job else made[make][:-3] + "zzz"),
                                   {} if method == "POST" else None, headers)
            kind = lambda answer: (answer.json["error"]["type"], answer.json["error"].get("code"))
            equal(kind(answer), kind(unknown), f"what {method} {path} says of another's id, and of one that nobody has,")
    for make, path in read.items():
        answer = attacked.ask("victim", "GET", at(path, made[make]))
        equal(answer.status, 200, f"{path} for its owner, after the attack")
        expect(answer.json.get("status", answer.json.get("state")) not in ("cancelled", "cancelling", "canceling"), f"{path} was cancelled: {answer.json}")


@checks.check("lists show nothing of another key, whatever the cursor")
def others_lists(context):
    attacked = context.attacked
    for path, make, cursor in (("/v1/files", make_file, "after"), ("/api/jobs", make_job, "before"), ("/v1/batches", make_batch, "after"),
                               ("/v1/messages/batches", make_message_batch, "after_id")):
        if not attacked.offers(path):
            continue
        identifier = make(attacked)
        for query in ("", "?limit=100", f"?{cursor}={identifier}"):
            answer = attacked.ask("attacker", "GET", path + query)
            expect(answer.status in (200, 404), f"{path}{query} is a {answer.status}")
            if answer.status == 200 and not path.startswith("/api/"):
                equal(answer.json["data"], [], f"{path}{query}")
            elif answer.status == 200:
                equal([job["id"] for job in answer.json["jobs"] if str(job["id"]) == identifier], [], f"{path}{query}")


@checks.check("ids of another key inside bodies are not found")
def others_ids_inside(context):
    attacked = context.attacked
    cases = [("/v1/responses", {"model": "scripted", "input": "x", "previous_response_id": make_response(attacked)})]
    if attacked.offers("/v1/batches"):
        source = attacked.made("victim", "POST", "/v1/files", **form(line(), "batch"))["id"]
        cases.append(("/v1/batches", {"input_file_id": source, "endpoint": "/v1/chat/completions", "completion_window": "24h"}))
    job = int(make_job(attacked))
    cases.append(("/api/jobs", {"prompt": "x", "model": "up/scripted", "after": [job]}))
    for path, value in cases:
        answer = attacked.ask("attacker", "POST", path, value)
        expect(400 <= answer.status < 500, f"{path} is a {answer.status}: {answer.data[:300]}")


STRANGE = ["..", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "....//....//etc/passwd", "%00", "a%00b", "%ff%fe", "%F0%28",
           "-1", "0", "0x10", "1e3", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "1;drop%20table%20jobs",
           "'%20or%20'1'='1", "%25", "%", "%zz", "resp_aq1", "resp_aq-1", "resp_aq9223372036854775808", "file-aq99999999999999999999", "x" * 8000,
           "%0d%0aset-cookie:%20a=b", "<script>alert(1)<%2fscript>", "%E2%80%AE", "1/../../2"]


@checks.check("ids that are paths, numbers out of range or control characters are not found", bound=60)
def strange_ids(context):
    attacked, chance = context.attacked, random.Random(SEED)
    for method, path, _ in owned_routes(attacked):
        for text in chance.sample(STRANGE, 12):
            answer = attacked.ask("attacker", method, at(path, text.replace(" ", "%20")), {} if method == "POST" else None)
            expect(answer.status in (400, 403, 404, 405, 415), f"{method} {path} with {text[:60]!r} is a {answer.status}: {answer.data[:200]}")
            expect(b"root:" not in answer.data and answer.getheader("set-cookie") is None, f"{path} with {text[:60]!r}: {answer.data[:200]}")


@checks.check("names of files are text")
def strange_names(context):
    attacked = context.attacked
    for name in ("../../etc/passwd", "/etc/passwd", "a\\b", "x" * 3000, "<script>", "ä €.txt", "\u202egpj.exe"):
        answer = attacked.ask("victim", "POST", "/v1/files", **form(b"text", name=name))
        expect(answer.status in (200, 400), f"a file named {name[:40]!r} is a {answer.status}")
        if answer.status == 200:
            shown = attacked.made("victim", "GET", "/v1/files/" + answer.json["id"])
            expect("/" not in shown["filename"] or shown["filename"] == name, f"the name is {shown['filename']!r}")
            equal(attacked.ask("victim", "GET", f"/v1/files/{answer.json['id']}/content").data, b"text", "the content")


@checks.check("mutated bodies are answered or refused with a reason, and never break anything", bound=90)
def mutated_bodies(context):
    attacked, chance = context.attacked, random.Random(SEED)
    paths = [path for path in BODIES if attacked.offers(path)]
    statuses = {}
    for number in range(int(os.environ.get("CLIENTS_MUTATIONS", "300"))):
        path = paths[number % len(paths)]
        body = json.dumps(mutated(BODIES[path], chance), ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
        if chance.random() < 0.3:
            body = torn(body, chance)
        # Nothing is to wait for what it asks.
        answer = attacked.ask("attacker", "POST", path, None, MESSAGES if chance.random() < 0.3 else {}, body)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        where = f"{path} (seed {SEED}, number {number}) with {body[:600]!r} is a {answer.status}: {answer.data[:300]}"
        expect(answer.status < 500, where)
        if answer.status >= 400:
            error = json.loads(answer.data)["error"]
            expect(error["message"] and error["type"], where)
        elif answer.getheader("content-type", "").startswith("application/json"):
            json.loads(answer.data)
    equal(attacked.ask("victim", "GET", "/health").status, 200, "its health afterwards")
    return ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))


@checks.check("mutated uploads are kept whole or refused, and never break anything", bound=60)
def mutated_uploads(context):
    attacked, chance = context.attacked, random.Random(SEED)
    whole = form(b"0123456789" * 20)
    kept = 0
    for number in range(100):
        body = torn(whole["body"], chance)
        if chance.random() < 0.3:
            body = torn(body, chance)
        kind = chance.choice(("boundary=limit", 'boundary="limit"', "boundary=limi", "boundary=", "", 'boundary="', "boundary=" + "x" * 200))
        headers = {"content-type": "multipart/form-data; " + kind if chance.random() < 0.3 else whole["headers"]["content-type"]}
        answer = attacked.ask("attacker", "POST", "/v1/files", None, headers, body)
        expect(answer.status < 500, f"number {number} of seed {SEED} is a {answer.status}: {answer.data[:300]}; {headers}; {body!r}")
        if answer.status == 200:
            kept += 1
            content = attacked.ask("attacker", "GET", f"/v1/files/{answer.json['id']}/content")
            equal(len(content.data), answer.json["bytes"], "the length of the content")
    count, after = 0, ""
    while True:
        page = attacked.made("attacker", "GET", f"/v1/files?limit=100{after}")
        count += len(page["data"])
        if not page["has_more"]:
            break
        after = "&after=" + page["data"][-1]["id"]
    equal(count, kept, "the number of files that are kept")
    return f"{kept} kept"


@checks.check("mutated batches fail by line, or are done, and never hang", bound=90)
def mutated_batches(context):
    attacked, chance = context.attacked, random.Random(SEED)
    if not attacked.offers("/v1/batches"):
        return "there are none"
    states = {}
    for number in range(12):
        good = [json.loads(line(f"line-{index}")) for index in range(4)]
        lines = [json.dumps(mutated(value, chance) if chance.random() < 0.2 else value).encode() for value in good]
        content = b"\n".join(torn(text, chance) if chance.random() < 0.1 else text for text in lines)
        source = attacked.ask("attacker", "POST", "/v1/files", **form(content, "batch", "batch.jsonl"))
        made = attacked.ask("attacker", "POST", "/v1/batches", {
            "input_file_id": source.json["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"})
        where = f"batch {number} of seed {SEED} with {content[:600]!r}"
        expect(made.status in (200, 400), f"{where} is a {made.status}: {made.data[:300]}")
        if made.status == 400:
            continue
        ended = until(lambda: attacked.made("attacker", "GET", f"/v1/batches/{made.json['id']}"),
                      lambda batch: batch["status"] in ("failed", "completed", "expired", "cancelled"), 30)
        states[ended["status"]] = states.get(ended["status"], 0) + 1
        if ended["status"] == "failed":
            expect(ended["errors"]["data"] and all(error["message"] for error in ended["errors"]["data"]), f"{where}: {ended}")
        else:
            counts = ended["request_counts"]
            equal(counts["completed"] + counts["failed"], counts["total"], f"{where}: the counts")
    return ", ".join(f"{count} × {state}" for state, count in sorted(states.items()))


@checks.check("JSON may be nested as deep as the documentation says, and no deeper")
def deep(context):
    attacked = context.attacked
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
        for depth, wanted in ((500, 200), (600, 400), (200000, 400)):
            # Two levels are the body's and the field's own.
            for opening, closing in (("[", "]"), ('{"a":', "}")):
                inner = opening * depth + "1" + closing * depth
                rest = json.dumps({"model": "claude-scripted" if path == "/v1/messages" else "up-responses/scripted" if "responses" in path else "scripted",
                                   "max_tokens": 9, "input": "x", "messages": [{"role": "user", "content": str(Script())}]})
                answer = attacked.ask("attacker", "POST", path, None, {}, f'{rest[:-1]},"metadata_of_mine":{inner}}}'.encode())
                equal(answer.status, wanted, f"the status of {path} with {depth} × {opening} ({answer.data[:200]})")


@checks.check("wrong keys are counted by the address that a trusted proxy tells, and by no other's word")
def proxies(context):
    for trusted, second in ((True, 401), (False, 429)):
        gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, f"proxies-{trusted}"), context.arguments.upstream,
                          "  trusted_proxies: [127.0.0.0/8]\n" if trusted else "")
        gateway.start()
        try:
            guessing = context.of(gateway.url, "aq-1-" + "A" * 43)
            statuses = [guessing.http("GET", "/v1/models", headers={"x-forwarded-for": "9.9.9.9, 203.0.113.7"}).status for _ in range(12)]
            equal(statuses, [401] * 10 + [429] * 2, "the statuses of wrong keys from one address")
            equal(guessing.http("GET", "/v1/models", headers={"x-forwarded-for": "203.0.113.7, 203.0.113.8"}).status, second,
                  f"the status for another address, the proxy {'trusted' if trusted else 'not trusted'},")
            equal(gateway.stop(), [0], "its exit code")
        finally:
            gateway.kill()


@checks.check("on [::1]: its own Host and Origin, and no others")
def version_6(context):
    gateway = Gateway(context.arguments.program, pathlib.Path(context.arguments.folder, "version-6"), context.arguments.upstream)
    gateway.configuration.write_text(gateway.configuration.read_text().replace("listen: 127.0.0.1:", "listen: \"[::1]:").replace(
        f":{gateway.port}\n", f":{gateway.port}\"\n"))
    gateway.start()
    try:
        port = gateway.port
        there = context.of(f"http://[::1]:{port}", gateway.key)
        for host, origin, status in ((f"[::1]:{port}", None, 200), (f"localhost:{port}", None, 200), ("[::1]", None, 200), (f"[::2]:{port}", None, 403),
                                     (f"[::1].evil.example:{port}", None, 403), (f"[::1]:{port}@evil.example", None, 403), ("::1", None, 403),
                                     (f"[::1%25lo]:{port}", None, 403), ("", None, 403), (f"[::1]:{port}", f"http://[::1]:{port}", 200),
                                     (f"[::1]:{port}", "http://[::2]", 403), (f"[::1]:{port}", f"http://[::1]:{port}.evil.example", 403)):
            headers = {"host": host} | ({"origin": origin} if origin else {})
            equal(there.http("GET", "/v1/models", headers=headers).status, status, f"the status with {headers}")
        equal(gateway.stop(), [0], "its exit code")
    finally:
        gateway.kill()


@checks.check("a provider that repeats the key it was sent does not tell it to the client")
def repeated_key(context):
    attacked = context.attacked
    # Before the provider is closed, for the search that follows.
    hooked = attacked.made("victim", "POST", "/api/jobs?wait=20s", {"prompt": str(Script()), "model": "up/scripted", "on_finish": ["hook"]})
    equal(hooked.get("state"), "completed", "the state of a job with a webhook")
    # What is tried again is answered in the end: here only the records count. The last close the provider, for the other form too.
    for status, times in ((400, -1), (404, -1), (422, -1), (429, 1), (500, 1), (401, -1), (403, -1)):
        for path, more, headers in (("/v1/chat/completions", {"model": "scripted"}, {}), ("/v1/messages", {"model": "claude-scripted", "max_tokens": 9}, MESSAGES)):
            for stream in (False, True):
                script = Script(fail={"times": times, "status": status, "message": "Incorrect API key provided: {key}."})
                answer = attacked.ask("victim", "POST", path, more | {"stream": stream, "messages": [{"role": "user", "content": str(script)}]},
                                      headers | {"x-agent-queue-max-wait": "2s"})
                expect(answer.status != 401, "a 401 is always about the client's key")
                expect(PROVIDER_KEY.encode() not in answer.data, f"{path} after a {status} holds the provider's key: {answer.data[:300]}")


@checks.check("no secret of the run is in an answer, a log or the database", bound=60)
def secrets(context):
    attacked = context.attacked
    reports = "".join(attacked.gateway.run(*command, codes=(0, 69)) for command in (
        ("list", "--json"), ("keys", "list", "--json"), ("keys", "show", "victim"), ("stats", "--json"), ("doctor",)) )
    equal(attacked.gateway.stop(), [0], "its exit code")
    secrets = {"a client's key": [key.split("-", 2)[2].encode() for key in attacked.keys.values()] + [attacked.gateway.key.split("-", 2)[2].encode()],
               "the provider's key": [PROVIDER_KEY.encode()], "the webhook's secret": [HOOK_SECRET.encode(), HOOK_SECRET.removeprefix("whsec_").encode()]}
    texts = {path.name: path.read_bytes() for path in attacked.gateway.folder.rglob("*") if path.is_file() and path.name != "queue.db.key"}
    texts |= {"an answer": b"\n".join(answers), "a report": reports.encode()}
    expect("queue.db" in texts and len(answers) > 100, f"there is too little to search: {list(texts)}")
    for what, values in secrets.items():
        for value in values:
            for name, text in texts.items():
                place = text.find(value)
                expect(place < 0, f"{name} holds {what}: …{text[max(0, place - 200):place + 60]!r}")
    log = attacked.gateway.log.read_text(errors="replace")
    expect("Fatal error" not in log and "Crash" not in log, "the log tells of a crash")


def main():
    context = Context("attack")
    context.attacked = Attacked(context)
    try:
        return checks.run(context, at_once=1)
    finally:
        context.attacked.gateway.kill()


if __name__ == "__main__":
    raise SystemExit(main())
