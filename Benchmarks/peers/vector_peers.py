#!/usr/bin/env python3
"""What `Benchmarks/vectors` compares with: numpy, faiss, sqlite-vec and hnswlib, each in a process of its own.

vector_peers.py generate FOLDER ROWS QUERIES   writes data.f32, queries.f32: float32, 384 values a row
vector_peers.py truth    FOLDER ROWS           writes truth-ROWS.json: the 10 nearest of each query among the first rows
vector_peers.py serve    PEER FOLDER ROWS      builds an index, prints what that took, and answers all queries for each line it reads

The data: 1,000 random unit centres, and noise of length 0.8 whose spectrum decays as 1/sqrt(j) in a random rotation, as that of text
embeddings does; isotropic noise would make every index that leaves something out look worse. Queries are drawn from the same.
"""
import json, os, sqlite3, statistics, sys, tempfile, time

import numpy as np

DIMENSION = 384
LIMIT = 10


def generate(folder, count, queries, seed=7):
    random = np.random.default_rng(seed)
    centres = random.standard_normal((1000, DIMENSION), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    spectrum = (np.arange(1, DIMENSION + 1) ** -0.5).astype(np.float32)
    spectrum *= 0.8 / np.linalg.norm(spectrum)
    rotation = np.linalg.qr(random.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)

    def draw(size):
        rows = centres[random.integers(0, 1000, size)]
        rows = rows + (random.standard_normal((size, DIMENSION), dtype=np.float32) * spectrum) @ rotation
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    with open(os.path.join(folder, "data.f32.new"), "wb") as file:
        for start in range(0, count, 50_000):
            draw(min(50_000, count - start)).tofile(file)
    draw(queries).tofile(os.path.join(folder, "queries.f32"))
    os.rename(os.path.join(folder, "data.f32.new"), os.path.join(folder, "data.f32"))


def load(folder, name, count=None):
    rows = np.memmap(os.path.join(folder, name), dtype="<f4", mode="r").reshape(-1, DIMENSION)
    return rows[:count]


def truth(folder, count):
    """Exact: 50 candidates by float32, ranked in float64."""
    data, queries = load(folder, "data.f32", count), np.array(load(folder, "queries.f32"))
    candidates = [[] for _ in queries]
    for start in range(0, count, 100_000):
        block = np.array(data[start:start + 100_000])
        scores = block @ queries.T
        best = np.argpartition(-scores, min(50, len(block) - 1), axis=0)[:50]
        for index in range(len(queries)):
            candidates[index] += [(float(scores[row, index]), start + int(row)) for row in best[:, index]]
    nearest = []
    for index, query in enumerate(queries):
        rows = sorted(row for _, row in sorted(candidates[index], reverse=True)[:50])
        vectors = np.array(data[rows], dtype=np.float64)
        scores = vectors @ query.astype(np.float64) / np.linalg.norm(vectors, axis=1)
        nearest.append([rows[place] for place in np.argsort(-scores, kind="stable")[:LIMIT]])
    with open(os.path.join(folder, f"truth-{count}.json"), "w") as file:
        json.dump(nearest, file)


def resident():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0


def build_numpy(data):
    rows = np.array(data)

    def search(query):
        scores = rows @ query
        top = np.argpartition(-scores, LIMIT)[:LIMIT]
        return top[np.argsort(-scores[top])]

    return search, {}


def build_faiss(data):
    import faiss
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(DIMENSION)
    for start in range(0, len(data), 100_000):
        index.add(np.ascontiguousarray(data[start:start + 100_000]))
    return lambda query: index.search(query[None], LIMIT)[1][0], {}


def build_hnswlib(data):
    import hnswlib
    index = hnswlib.Index(space="ip", dim=DIMENSION)
    index.init_index(max_elements=len(data), ef_construction=100, M=16)
    for start in range(0, len(data), 50_000):
        rows = np.ascontiguousarray(data[start:start + 50_000])
        index.add_items(rows, np.arange(start, start + len(rows)), num_threads=2)
    index.set_ef(64)
    return lambda query: index.knn_query(query[None], LIMIT, num_threads=1)[0][0], {}


def build_sqlite_vec(data):
    import sqlite_vec
    path = os.path.join(tempfile.mkdtemp(dir=os.environ.get("VECTORS_WORK")), "vec.db")
    database = sqlite3.connect(path, isolation_level=None)
    database.enable_load_extension(True)
    sqlite_vec.load(database)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    # Its reads are several times faster so.
    database.execute(f"PRAGMA mmap_size={8 << 30}")
    database.execute(f"CREATE VIRTUAL TABLE vectors USING vec0 (id INTEGER PRIMARY KEY, vector FLOAT[{DIMENSION}])")
    rates = []
    for start in range(0, len(data), 10_000):
        # The first 20,000 a hundred in a transaction, which is what the rate is of.
        step = 100 if start < 20_000 else 10_000
        began = time.perf_counter()
        for first in range(start, min(start + 10_000, len(data)), step):
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO vectors (id, vector) VALUES (?, ?)",
                ((row, data[row].tobytes()) for row in range(first, min(first + step, len(data)))))
            database.execute("COMMIT")
        if step == 100:
            rates.append(min(10_000, len(data) - start) / (time.perf_counter() - began))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sql = f"SELECT id FROM vectors WHERE vector MATCH ? AND k = {LIMIT}"
    more = {"rows_per_s_100_per_tx": round(statistics.median(rates)), "file_mb": os.path.getsize(path) / 1e6}
    return lambda query: [row[0] for row in database.execute(sql, (query.tobytes(),))], more


BUILDERS = {"numpy": build_numpy, "faiss": build_faiss, "hnswlib": build_hnswlib, "sqlite-vec": build_sqlite_vec}


def serve(peer, folder, count):
    data, queries = load(folder, "data.f32", count), np.array(load(folder, "queries.f32"))
    before, began = resident(), time.perf_counter()
    search, more = BUILDERS[peer](data)
    print(json.dumps({"build_s": time.perf_counter() - began, "rss_mb": resident() - before, **more}), flush=True)
    for _ in range(2):
        search(queries[0])
    for line in sys.stdin:
        asked = queries[: int(line)] if line.strip() else queries
        times, hits = [], []
        for query in asked:
            began = time.perf_counter()
            found = search(query)
            times.append((time.perf_counter() - began) * 1e3)
            hits.append([int(row) for row in found])
        times.sort()
        p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
        print(json.dumps({"p50_ms": statistics.median(times), "p99_ms": p99, "hits": hits}), flush=True)


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command == "generate":
        generate(words[0], int(words[1]), int(words[2]))
    elif command == "truth":
        truth(words[0], int(words[1]))
    elif command == "serve":
        serve(words[0], words[1], int(words[2]))
    else:
        sys.exit(__doc__)
