"""Starts, kills and stops `agent-queue serve` and `agent-worker` over the scripted upstream."""

import ctypes
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading

START_SECONDS = 20
STOP_SECONDS = 40
PROVIDER_KEY = "provider-secret-5f1c"

CONFIGURATION = """\
database: {folder}/queue.db
default_model: up/scripted
worker: {{ concurrency: 16, lease: 5s, shutdown_grace: 5s }}
breaker: {{ failure_rate: 1, consecutive: 1000 }}
providers:
  up: {{ kind: openai, base_url: "{upstream}/v1", api_key_env: UPSTREAM_KEY }}
  up-responses: {{ kind: openai, api: responses, base_url: "{upstream}/v1", api_key_env: UPSTREAM_KEY }}
  up-anthropic: {{ kind: anthropic, base_url: "{upstream}", api_key_env: UPSTREAM_KEY }}
models:
  up/scripted: {{ price: {{ input_per_mtok: 1, output_per_mtok: 1 }} }}
  up-anthropic/claude-scripted: {{ price: {{ input_per_mtok: 1, output_per_mtok: 1 }} }}
serve:
  listen: 127.0.0.1:{port}
  ping: 1s
  models: {{ scripted: up/scripted, "claude-*": up-anthropic/claude-scripted }}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def end_with_parent():
    """Has the kernel kill this process when the thread that started it ends (PR_SET_PDEATHSIG), so that nothing outlives the checks."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A program in a session of its own, so that all its processes can be killed together; what it prints goes to a log."""

    def __init__(self, command, environment, log, waits_for=None):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True, preexec_fn=end_with_parent)
        self.ready = threading.Event()
        self.ended = threading.Event()
        threading.Thread(target=self.read, args=(waits_for,), daemon=True).start()
        if waits_for and not self.ready.wait(START_SECONDS):
            self.kill()
            raise RuntimeError(f"{command[0]} did not say {waits_for!r} within {START_SECONDS} s: read {log}")
        if waits_for and self.ended.is_set():
            raise RuntimeError(f"{' '.join(command)} ended with {self.process.wait()}: {open(log).read()[-2000:]}")

    def read(self, waits_for):
        for line in self.process.stdout:
            self.log.write(line)
            self.log.flush()
            if waits_for and re.search(waits_for, line.decode(errors="replace")):
                self.ready.set()
        self.ended.set()
        self.ready.set()

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def stop(self):
        """Asks it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.process.args[0]} did not end within {STOP_SECONDS} s of SIGTERM") from None


class Gateway:
    """A gateway with a database of its own, at a port that it keeps when it is started again."""

    def __init__(self, program, folder, upstream, more=""):
        self.program = pathlib.Path(program)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.configuration = self.folder / "agent-queue.yaml"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder, upstream=upstream, port=self.port) + more)
        self.log = self.folder / "gateway.log"
        self.worker_log = self.folder / "worker.log"
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("AGENT_QUEUE_", "OPENAI_", "ANTHROPIC_", "CLAUDE")) and "proxy" not in name.lower()
        } | {"UPSTREAM_KEY": PROVIDER_KEY, "HOME": str(self.folder)}
        self.serve = None
        self.worker = None

    def start(self, *options):
        command = [str(self.program), "serve", "--config", str(self.configuration), *options]
        self.serve = Process(command, self.environment, self.log, waits_for=rf":{self.port}\b")

    def start_worker(self):
        command = [str(self.program.with_name("agent-worker")), "--config", str(self.configuration)]
        self.worker = Process(command, self.environment, self.worker_log)

    def run(self, *arguments, codes=(0,)):
        """What a command of agent-queue prints."""
        done = subprocess.run(
            [str(self.program), *arguments, "--config", str(self.configuration)], env=self.environment, capture_output=True, text=True,
            timeout=60)
        if done.returncode not in codes:
            raise RuntimeError(f"agent-queue {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-1000:]}")
        return done.stdout

    @property
    def key(self):
        """The key that the first start has made."""
        text = pathlib.Path(f"{self.folder}/queue.db.key").read_text()
        return re.search(r"aq-[^\s\"']+", text)[0]

    def kill(self):
        for process in (self.serve, self.worker):
            if process:
                process.kill()

    def stop(self):
        """The exit codes of what ran."""
        return [process.stop() for process in (self.serve, self.worker) if process]
