-- Vector memory: texts with metadata and a vector, in namespaces.
-- A change takes the next numbers of one counter (`counters.memory`), in the order of commits: who has seen all up to a number
-- finds by it what is new. A text's vector is an entry of a block, which is never changed: what is altered gets a new entry.

CREATE TABLE namespaces (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    is_forgotten INTEGER NOT NULL DEFAULT 0 CHECK (is_forgotten IN (0, 1)),  -- no one finds it; what it held goes in slices
    space_id     INTEGER,                     -- the space that is searched; NULL until the first vector
    memories     INTEGER NOT NULL DEFAULT 0 CHECK (memories >= 0),
    bytes        INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    words_to     INTEGER NOT NULL DEFAULT 0,  -- memories with a larger id are not in memory_words yet
    digested_to  INTEGER NOT NULL DEFAULT 0,  -- memories up to this id are in memory_digests, as far as they have a digest
    horizon      INTEGER NOT NULL DEFAULT 0,  -- changes up to this number may be missing from memory_changes
    created_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX namespaces_name ON namespaces (name) WHERE is_forgotten = 0;

-- Vectors of one model: a namespace has one that is searched, and one more while it is embedded again.
CREATE TABLE memory_spaces (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace_id   INTEGER NOT NULL REFERENCES namespaces (id),
    model          TEXT    NOT NULL,
    passage_prefix TEXT    NOT NULL,        -- put before each text: vectors made with another are not compared
    dimension      INTEGER NOT NULL CHECK (dimension BETWEEN 1 AND 4096),
    state          TEXT    NOT NULL CHECK (state IN ('current', 'building', 'dropped')),
    walked_to      INTEGER NOT NULL DEFAULT 0,  -- while it is built: memories up to this id have been taken
    live           INTEGER NOT NULL DEFAULT 0 CHECK (live >= 0),  -- while it is built: memories that have their vector in it
    created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX memory_spaces_namespace ON memory_spaces (namespace_id);

CREATE TABLE memories (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace_id INTEGER NOT NULL REFERENCES namespaces (id),
    version      INTEGER NOT NULL,          -- the change that made it what it is: entries with smaller numbers are dead
    entry        INTEGER CHECK (entry > version),  -- of the space that was searched then; NULL without a vector
    key          TEXT CHECK (length(key) BETWEEN 1 AND 512),
    text         TEXT    NOT NULL,
    metadata     TEXT,                      -- a JSON object, canonical
    digest       INTEGER,                   -- the first eight bytes of SHA-256 over what it is: finds duplicates, proves none
    importance   REAL    NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    bytes        INTEGER NOT NULL CHECK (bytes > 0),
    created_at   INTEGER NOT NULL,
    recalled_at  INTEGER,
    expires_at   INTEGER,
    CHECK ((key IS NULL) = (digest IS NOT NULL))
) STRICT;
-- With the digest, so that those of the newest are found without their rows.
CREATE INDEX memories_namespace ON memories (namespace_id, id, digest);
CREATE UNIQUE INDEX memories_key ON memories (namespace_id, key) WHERE key IS NOT NULL;
CREATE INDEX memories_expiring ON memories (expires_at) WHERE expires_at IS NOT NULL;
-- What has a vector alone cannot be embedded again.
CREATE INDEX memories_textless ON memories (namespace_id) WHERE text = '';

-- Finds memories without a key by what they are. Those after namespaces.digested_to may be missing: a digest belongs anywhere in here,
-- so that they are taken in many at a time.
CREATE TABLE memory_digests (
    namespace_id INTEGER NOT NULL,
    digest       INTEGER NOT NULL,
    memory_id    INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, digest, memory_id)
) STRICT, WITHOUT ROWID;

-- Entries that do not stand in memories.entry: those of memories that were embedded again, in the space that was made for it.
CREATE TABLE memory_entries (
    memory_id INTEGER NOT NULL,
    space_id  INTEGER NOT NULL,
    number    INTEGER NOT NULL,             -- the live one
    PRIMARY KEY (memory_id, space_id)
) STRICT, WITHOUT ROWID;

-- Entries of one space in the order of their numbers. They are never changed; neighbours may become one block.
CREATE TABLE memory_blocks (
    id       INTEGER PRIMARY KEY,           -- the number of its first entry
    space_id INTEGER NOT NULL REFERENCES memory_spaces (id),
    last     INTEGER NOT NULL CHECK (last >= id),  -- the number of its last entry
    entries  INTEGER NOT NULL CHECK (entries > 0),
    dead     INTEGER NOT NULL DEFAULT 0 CHECK (dead BETWEEN 0 AND entries)  -- whose memory has changed, or is gone
) STRICT;
CREATE INDEX memory_blocks_space ON memory_blocks (space_id, last);

-- What a scan reads of a block: `heads` has 48 bytes for each entry (MemoryEntry), `codes` a byte a dimension.
CREATE TABLE memory_codes (
    block_id INTEGER PRIMARY KEY REFERENCES memory_blocks (id) ON DELETE CASCADE,
    heads    BLOB NOT NULL CHECK (length(heads) > 0 AND length(heads) % 48 = 0),
    codes    BLOB NOT NULL CHECK (length(codes) > 0)
) STRICT;

-- The exact vectors of a block: Float32, little-endian, one after the other.
CREATE TABLE memory_vectors (
    block_id INTEGER PRIMARY KEY REFERENCES memory_blocks (id) ON DELETE CASCADE,
    vectors  BLOB NOT NULL CHECK (length(vectors) > 0 AND length(vectors) % 4 = 0)
) STRICT;

-- What is no longer so: the memory's entries with smaller numbers are dead, in every space of its namespace. Kept until no block
-- holds one, and then for a while, so that indexes in memory can follow.
CREATE TABLE memory_changes (
    memory_id    INTEGER PRIMARY KEY,
    namespace_id INTEGER NOT NULL REFERENCES namespaces (id),
    number       INTEGER NOT NULL,          -- the latest change
    dead         INTEGER NOT NULL CHECK (dead >= 0),  -- dead entries that blocks still hold
    changed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX memory_changes_number ON memory_changes (namespace_id, number);
CREATE INDEX memory_changes_settled ON memory_changes (changed_at) WHERE dead = 0;

-- Memories that a space under way must take once more, because they changed after it had walked past them.
CREATE TABLE memory_revisits (
    space_id  INTEGER NOT NULL REFERENCES memory_spaces (id),
    memory_id INTEGER NOT NULL,
    PRIMARY KEY (space_id, memory_id)
) STRICT, WITHOUT ROWID;

-- The words of memories, filled up before each search that asks for words. `space` holds the namespace's token, 'n' and its id.
CREATE VIRTUAL TABLE memory_words USING fts5 (text, space, content = '', tokenize = 'unicode61 remove_diacritics 2');

INSERT INTO counters (name, value) VALUES ('memory', 0), ('memories', 0), ('memory_bytes', 0);

-- The vectors of cached prompts get numbers of one counter too, in the order of commits: an index in memory finds by it what is new, where
-- an entry's id may be that of one that is gone.
ALTER TABLE cache_vectors ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE cache_vectors SET number = entry_id;
DROP INDEX cache_vectors_context;
CREATE UNIQUE INDEX cache_vectors_context ON cache_vectors (context, model, number);
INSERT INTO counters (name, value) SELECT 'cache_vectors', coalesce(max(number), 0) FROM cache_vectors;
