-- Where a cached answer's prompt lies among others of its context, for the cache by nearness of meaning.

CREATE TABLE cache_vectors (
    entry_id INTEGER PRIMARY KEY REFERENCES cache_entries (id) ON DELETE CASCADE,
    context  BLOB NOT NULL CHECK (length(context) = 32),  -- SHA-256 of all of the request but the text of its last message
    model    TEXT NOT NULL,                               -- what made the vector: only one model's are compared
    vector   BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0)  -- of length 1, Float32, little-endian
) STRICT;
CREATE INDEX cache_vectors_context ON cache_vectors (context, model, entry_id);
