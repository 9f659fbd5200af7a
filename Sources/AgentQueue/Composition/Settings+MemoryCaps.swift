import QueueStore
import Settings

extension Settings {
    /// How many memories pruning keeps.
    public var memoryCaps: MemoryPolicy {
        let caps = memory.namespaces.mapValues { MemoryPolicy.Cap(rows: $0.maxRows, bytes: $0.maxBytes) }
        return MemoryPolicy(maxBytes: memory.maxBytes, namespaces: caps.filter { $0.value.rows != nil || $0.value.bytes != nil })
    }
}
