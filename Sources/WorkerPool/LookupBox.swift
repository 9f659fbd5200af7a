import Synchronization

/// Where a look for near prompts leaves what it found.
final class LookupBox: Sendable {
    private let lookup = Mutex<SemanticLookup?>(nil)

    var value: SemanticLookup? { lookup.withLock { $0 } }

    func set(_ value: SemanticLookup?) { lookup.withLock { $0 = value } }
}
