/// Room that answers took which are gone.
struct Freed {
    var entries: Int64 = 0
    var bytes: Int64 = 0

    /// An answer is gone that took so many bytes; nil: none is.
    mutating func add(_ size: Int64?) {
        guard let size else { return }
        entries += 1
        bytes += size
    }
}
