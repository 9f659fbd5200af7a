/// What an index in memory must follow.
public enum MemoryChange {
    /// New entries. Some may be known already, and some dead: those whose memory a change with a larger number names.
    case entries(MemoryBlock)
    /// All entries of a memory with smaller numbers are dead.
    case forgotten(memoryID: Int64, number: Int64)
}
