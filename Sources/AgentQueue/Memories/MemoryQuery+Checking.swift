import QueueStore
import Settings
import VectorMemory

extension MemoryQuery {
    /// Checks all that can be seen of the query alone, its vector still to be made of its text: nothing is paid for one that cannot be
    /// answered.
    /// - Throws: `InputError`.
    func checkBeforePaying() throws(InputError) {
        for name in namespaces { try NamespaceName.check(name) }
        if let text {
            guard !TextSize.isBlank(text) else { throw InputError("the text to look for is empty", exit: .usage) }
            guard !TextSize.holdsNUL(text) else { throw InputError("the text to look for holds a NUL character", exit: .usage) }
            guard text.utf8.count <= MemoryLimits.maxTextBytes else {
                let longest = ByteCountText.format(Int64(MemoryLimits.maxTextBytes))
                throw InputError("the text to look for is longer than \(longest)", exit: .usage)
            }
        } else if vector == nil {
            throw InputError("a text to look for is missing", exit: .usage)
        }
        if let vector, mode != .words {
            do throws(VectorError) {
                _ = try MemoryVector(vector)
            } catch {
                throw InputError(error.description, exit: .badData)
            }
        }
        var whole = self
        whole.vector = vector ?? [1]
        do throws(MemoryError) {
            try whole.check()
        } catch {
            throw InputError(error.description, exit: .usage)
        }
    }
}
