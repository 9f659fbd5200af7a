import JobModel
import QueueStore
import Settings

extension MemoryDraft {
    /// Checks everything that can be seen of the memory alone.
    /// - Throws: `InputError` (`badData`).
    func checked(in namespace: String, _ context: MemoryContext) throws(InputError) -> CheckedMemory {
        let vector = try checkedVector()
        try checkText(hasVector: vector != nil)
        try checkKey()
        try checkMetadata()
        guard importance >= 0, importance <= 1 else { throw Self.wrong("importance must be 0 to 1, not \(importance)") }
        let model: VectorModel? =
            switch self.vector {
            case .model: context.model
            case .own: .brought
            case .made(_, let model): model
            case .none: nil
            }
        var memory = NewMemory(
            text, key: key, metadata: metadata, importance: importance, createdAt: createdAt ?? context.now,
            expiresAt: try expiresAt(in: namespace, context), vector: vector)
        memory.recalledAt = recalledAt
        return CheckedMemory(memory: memory, model: model)
    }

    private func checkText(hasVector: Bool) throws(InputError) {
        guard text.utf8.count <= MemoryLimits.maxTextBytes else {
            throw Self.wrong("the text is longer than \(ByteCountText.format(Int64(MemoryLimits.maxTextBytes)))")
        }
        guard !TextSize.holdsNUL(text) else { throw Self.wrong("the text holds a NUL character") }
        guard hasVector || !TextSize.isBlank(text) else { throw Self.wrong("the text is empty") }
    }

    private func checkKey() throws(InputError) {
        guard let key else { return }
        guard !TextSize.isBlank(key) else { throw Self.wrong("the key is empty") }
        guard key.unicodeScalars.count <= MemoryLimits.maxKeyLength else {
            throw Self.wrong("the key \(InvalidText.quoted(key)) is longer than \(MemoryLimits.maxKeyLength) characters")
        }
        guard key.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw Self.wrong("the key \(InvalidText.quoted(key)) cannot hold control characters")
        }
    }

    private func checkMetadata() throws(InputError) {
        guard let metadata else { return }
        guard metadata.members != nil else { throw Self.wrong("metadata must be an object, not \(metadata.kindName)") }
        guard !TextSize.holdsNUL(metadata) else { throw Self.wrong("metadata holds a NUL character") }
        guard TextSize.bound(of: metadata) > MemoryLimits.maxMetadataBytes else { return }
        guard metadata.utf8(sorted: false).count <= MemoryLimits.maxMetadataBytes else {
            throw Self.wrong("metadata is longer than \(ByteCountText.format(Int64(MemoryLimits.maxMetadataBytes))) of JSON")
        }
    }

    private func checkedVector() throws(InputError) -> MemoryVector? {
        switch vector {
        case .model, .none: return nil
        case .own(let values), .made(let values, _):
            do throws(VectorError) {
                return try MemoryVector(values)
            } catch {
                throw Self.wrong(error.description)
            }
        }
    }

    private func expiresAt(in namespace: String, _ context: MemoryContext) throws(InputError) -> Int64? {
        switch expiry {
        case .usual: return context.now + context.retention(namespace)
        case .after(let span):
            guard span > 0 else { throw Self.wrong("the time to live must be more than 0") }
            guard span <= MemoryLimits.maxTimeToLive else {
                let longest = DurationText.format(.milliseconds(MemoryLimits.maxTimeToLive))
                throw Self.wrong("the time to live is too long (at most \(longest), or never)")
            }
            return context.now + span
        case .at(let time):
            guard time > context.now else { throw Self.wrong("it would be forgotten at once: \(TimeText.format(time)) has passed") }
            return time
        case .never: return nil
        }
    }

    private static func wrong(_ message: String) -> InputError { InputError(message, exit: .badData) }
}
