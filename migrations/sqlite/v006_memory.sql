-- Vector memory: texts with metadata and a vector, in namespaces.
-- A change takes the next numbers of one counter (`counters.memory`), in the order of commits: who has seen all up to a number
-- finds by it what is new. A text's vector is an entry of a block, which is never changed: what is altered gets a new entry.

CREATE TABLE namespaces (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    space_id   INTEGER,                     -- the space that is searched; NULL until the first vector
    memories   INTEGER NOT NULL DEFAULT 0 CHECK (memories >= 0),
    bytes      INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    words_to   INTEGER NOT NULL DEFAULT 0,  -- memories with a larger id are not in memory_words yet
    horizon    INTEGER NOT NULL DEFAULT 0,  -- changes up to this number may be missing from memory_changes
    created_at INTEGER NOT NULL
) STRICT;

-- Vectors of one model: a namespace has one that is searched, and one more while it is embedded again.
CREATE TABLE memory_spaces (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace_id   INTEGER NOT NULL REFERENCES namespaces (id),
    model          TEXT    NOT NULL,
    passage_prefix TEXT    NOT NULL,        -- put before each text: vectors made with another are not compared
    dimension      INTEGER NOT NULL CHECK (dimension BETWEEN 1 AND 4096),
    state          TEXT    NOT NULL CHECK (state IN ('current', 'building', 'dropped')),
    walked_to      INTEGER NOT NULL DEFAULT 0,  -- while it is built: memories up to this id have been taken
    created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX memory_spaces_namespace ON memory_spaces (namespace_id);

CREATE TABLE memories (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace_id INTEGER NOT NULL REFERENCES namespaces (id),
    version      INTEGER NOT NULL,          -- the change that made it what it is: entries with smaller numbers are dead
    key          TEXT CHECK (length(key) BETWEEN 1 AND 512),
    text         TEXT    NOT NULL,
    metadata     TEXT,                      -- a JSON object, canonical
    digest       INTEGER NOT NULL,          -- the first eight bytes of SHA-256 over text and metadata: finds duplicates, proves none
    importance   REAL    NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    bytes        INTEGER NOT NULL CHECK (bytes > 0),
    created_at   INTEGER NOT NULL,
    recalled_at  INTEGER,
    expires_at   INTEGER
) STRICT;
CREATE INDEX memories_namespace ON memories (namespace_id);
CREATE UNIQUE INDEX memories_key ON memories (namespace_id, key) WHERE key IS NOT NULL;
CREATE INDEX memories_digest ON memories (namespace_id, digest) WHERE key IS NULL;
CREATE INDEX memories_expiring ON memories (expires_at) WHERE expires_at IS NOT NULL;

-- Entries in the order of their numbers. `heads` has 48 bytes for each (see MemoryEntry.swift), `codes` a byte a dimension.
CREATE TABLE memory_blocks (
    id       INTEGER PRIMARY KEY,           -- the number of its first entry
    space_id INTEGER NOT NULL REFERENCES memory_spaces (id),
    last     INTEGER NOT NULL,              -- the number of its last entry
    heads    BLOB    NOT NULL CHECK (length(heads) > 0 AND length(heads) % 48 = 0),
    codes    BLOB    NOT NULL CHECK (length(codes) > 0)
) STRICT;
CREATE INDEX memory_blocks_space ON memory_blocks (space_id, last);

-- The exact vectors of a block: Float32, little-endian, one after the other.
CREATE TABLE memory_vectors (
    block_id INTEGER PRIMARY KEY REFERENCES memory_blocks (id) ON DELETE CASCADE,
    vectors  BLOB NOT NULL CHECK (length(vectors) > 0 AND length(vectors) % 4 = 0)
) STRICT;

-- What is no longer so: the memory's entries with smaller numbers are dead, in every space of its namespace. Kept until indexes in
-- memory and blocks have followed.
CREATE TABLE memory_changes (
    number       INTEGER PRIMARY KEY,
    namespace_id INTEGER NOT NULL REFERENCES namespaces (id),
    memory_id    INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX memory_changes_namespace ON memory_changes (namespace_id, number);

-- Memories that a space under way must take once more, because they changed after it had walked past them.
CREATE TABLE memory_revisits (
    space_id  INTEGER NOT NULL REFERENCES memory_spaces (id),
    memory_id INTEGER NOT NULL,
    PRIMARY KEY (space_id, memory_id)
) STRICT, WITHOUT ROWID;

-- The words of memories, filled up before each search that asks for words. `space` holds the namespace's token, 'n' and its id.
CREATE VIRTUAL TABLE memory_words USING fts5 (text, space, content = '', tokenize = 'unicode61 remove_diacritics 2');

INSERT INTO counters (name, value) VALUES ('memory', 0), ('memories', 0), ('memory_bytes', 0);
