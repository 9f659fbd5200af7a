import AgentQueueModel

/// One embeddings call with the inputs of one or several requests.
package struct EmbeddingCall: Sendable, Equatable {
    /// A request's share of a call: `inputs.count` of the call's inputs, in its own order.
    package struct Piece: Sendable, Equatable {
        /// The request's index.
        package var request: Int
        /// Some or all of its inputs.
        package var inputs: [JSONValue]

        /// The inputs' length, by which usage is divided. Never 0.
        package var weight: Int { inputs.reduce(0) { $0 + max(1, $1.string?.utf8.count ?? $1.array?.count ?? 1) } }
    }

    /// The model's name.
    package var model: String
    /// The request's other members, such as `dimensions`.
    package var options: [JSONValue.Member]
    /// The requests whose inputs it has.
    package var pieces: [Piece]

    /// All inputs, in order.
    package var inputs: [JSONValue] { pieces.flatMap(\.inputs) }

    /// The body to send.
    package func body(_ format: EmbeddingFormat) -> JSONValue {
        let encoding = JSONValue.Member("encoding_format", .string(format.rawValue))
        return .object([.init("model", .string(model)), .init("input", .array(inputs)), encoding] + options)
    }

    /// The length that each vector must have, if the request says so.
    package var dimensions: Int? { options.first { $0.key == "dimensions" }?.value.int }

    /// Makes a call.
    package init(model: String, options: [JSONValue.Member], pieces: [Piece]) {
        self.model = model
        self.options = options
        self.pieces = pieces
    }

    /// Distributes requests over as few calls as models, options and limits allow, keeping their order. A request without inputs is in
    /// none, one that is larger than a call takes several, and an input larger than a call has its own.
    package static func plan(_ requests: [(place: Int, request: ModelRequest)], _ limits: ProviderCapabilities) -> [EmbeddingCall] {
        var calls: [EmbeddingCall] = []
        var sizes: [EmbeddingSize] = []
        var open: [String: Int] = [:]
        for (place, request) in requests {
            let options = options(of: request)
            let key = request.target.model + "\u{0}" + JSONValue.object(options).canonicalText
            var rest = inputs(of: request)[...]
            while !rest.isEmpty {
                let (wanted, size) = EmbeddingSize.prefix(of: rest, limits)
                let call: Int
                if let last = open[key], (sizes[last] + size).fits(limits) {
                    call = last
                } else {
                    call = calls.count
                    calls.append(EmbeddingCall(model: request.target.model, options: options, pieces: []))
                    sizes.append(EmbeddingSize())
                    open[key] = call
                }
                calls[call].pieces.append(Piece(request: place, inputs: Array(rest.prefix(wanted))))
                sizes[call] = sizes[call] + size
                rest = rest.dropFirst(wanted)
            }
        }
        return calls
    }

    /// How many inputs it has.
    package var inputCount: Int { pieces.reduce(0) { $0 + $1.inputs.count } }

    /// A request's inputs: its `input` as a list of texts, one text, or one text's tokens.
    package static func inputs(of request: ModelRequest) -> [JSONValue] {
        switch request.body["input"] {
        case .string(let text): [.string(text)]
        case .array(let elements) where !elements.isEmpty && elements.allSatisfy { $0.number != nil }: [.array(elements)]
        case .array(let elements): elements
        default: []
        }
    }

    private static let ownMembers: Set<String> = ["model", "input", "encoding_format", "sample", "stream", "stream_options"]
    /// The members of a `memorize` request that the model needs. The others are for the memory.
    private static let memorizeMembers: Set<String> = ["dimensions", "user"]

    /// The request's other members that the model needs.
    package static func options(of request: ModelRequest) -> [JSONValue.Member] {
        (request.body.members ?? []).filter { member in
            request.kind == .memorize ? memorizeMembers.contains(member.key) : !ownMembers.contains(member.key)
        }
    }

    /// Divides all counts by weight.
    package static func shares(of usage: Usage, weights: [Int]) -> [Usage] {
        let read = shares(of: usage.inputTokens, weights: weights)
        let written = shares(of: usage.outputTokens, weights: weights)
        let cacheRead = shares(of: usage.cacheReadTokens, weights: weights)
        let cacheWritten = shares(of: usage.cacheWriteTokens, weights: weights)
        return weights.indices.map {
            Usage(inputTokens: read[$0], outputTokens: written[$0], cacheReadTokens: cacheRead[$0], cacheWriteTokens: cacheWritten[$0])
        }
    }

    /// Divides tokens by weight, so that the shares add up exactly.
    package static func shares(of tokens: Int, weights: [Int]) -> [Int] {
        let total = weights.reduce(0, +)
        guard total > 0 else { return weights.map { _ in 0 } }
        var weight = 0
        var given = 0
        return weights.map { own in
            weight += own
            let (high, low) = tokens.multipliedFullWidth(by: weight)
            let due = total.dividingFullWidth((high, low)).quotient
            defer { given = due }
            return due - given
        }
    }
}

/// The format of vectors.
package enum EmbeddingFormat: String, Sendable {
    /// Little-endian float32 in base64: a quarter of the bytes, and much faster to read.
    case base64
    /// Lists of numbers, which every server knows.
    case float
}

/// The size of an embeddings call's inputs.
package struct EmbeddingSize: Sendable, Equatable {
    /// The number of inputs.
    package var inputs = 0
    /// Their tokens, estimated from their texts.
    package var tokens = 0
    /// Their bytes, as JSON.
    package var bytes = 0

    /// Half of what English text has, and about what Chinese text has. A call that is too large fails all requests in it, while an
    /// additional call costs nothing.
    private static let bytesPerToken = 2

    /// No inputs.
    package init() {}

    /// One input: a text, or a text's tokens.
    package init(_ input: JSONValue) {
        inputs = 1
        switch input {
        case .string(let text):
            tokens = text.utf8.count / Self.bytesPerToken + 1
            bytes = text.utf8.count + 3
        case .array(let list):
            tokens = list.count
            bytes = input.utf8(sorted: false).count + 1
        default: bytes = input.utf8(sorted: false).count + 1
        }
    }

    /// The size of both together.
    package static func + (one: EmbeddingSize, other: EmbeddingSize) -> EmbeddingSize {
        var sum = one
        sum.inputs += other.inputs
        sum.tokens += other.tokens
        sum.bytes += other.bytes
        return sum
    }

    /// Whether one call may have it.
    package func fits(_ limits: ProviderCapabilities) -> Bool {
        inputs <= max(1, limits.maxEmbedInputs) && tokens <= limits.maxEmbedTokens ?? .max && bytes <= limits.maxEmbedBytes
    }

    /// As many of the first inputs as one call may have, at least one.
    package static func prefix(of inputs: ArraySlice<JSONValue>, _ limits: ProviderCapabilities) -> (count: Int, size: EmbeddingSize) {
        var size = EmbeddingSize()
        for input in inputs {
            let larger = size + EmbeddingSize(input)
            guard size.inputs == 0 || larger.fits(limits) else { break }
            size = larger
        }
        return (size.inputs, size)
    }
}
