import AgentQueueModel

/// Removes from a server's message what no error text may hold: the API key and the contents of the prompt.
///
/// Servers echo both: a proxy its request's headers, a validator the whole body. Parts of them count too, because messages are cut and
/// escaped on their way.
package struct Redaction: Sendable {
    private let secrets: [[UInt8]]
    private let prompts: [[UInt8]]

    /// The longest message that is made, in bytes.
    package static let maxBytes = 500
    /// How much of a server's message is read, in bytes.
    private static let maxBytesRead = 4_096
    /// Shorter texts are left alone, or common words would be blanked out. Of longer ones, any part of the upper length is removed.
    private static let secretBytes = 4...12
    private static let promptBytes = 8...24

    /// - Parameters:
    ///   - secrets: keys and passwords.
    ///   - bodies: requests, whose messages and inputs are secret.
    package init(secrets: [String], bodies: [JSONValue] = []) {
        self.secrets = secrets.map { Array($0.utf8) }
        var texts: [[UInt8]] = []
        for body in bodies {
            for member in body.members ?? [] where Self.secretMembers.contains(member.key) {
                Self.collect(member.value, into: &texts)
            }
        }
        prompts = texts
    }

    private static let secretMembers: Set<String> = ["messages", "input", "prompt", "system", "prediction", "metadata", "user"]
    private static let vocabulary: Set<String> = ["role", "type"]

    private static func collect(_ value: JSONValue, into texts: inout [[UInt8]]) {
        switch value {
        case .string(let text): texts.append(Array(text.utf8))
        case .array(let elements): for element in elements { collect(element, into: &texts) }
        case .object(let members):
            for member in members where !vocabulary.contains(member.key) { collect(member.value, into: &texts) }
        case .null, .bool, .integer, .double, .digits: break
        }
    }

    /// The message as one line of at most `maxBytes` bytes, with `***` for what is secret.
    package func clean(_ text: String, maxBytes: Int = Redaction.maxBytes) -> String {
        let message = Array(text.utf8.prefix(Self.maxBytesRead))
        var hidden = [Bool](repeating: false, count: message.count)
        for secret in secrets { Self.hide(secret, Self.secretBytes, in: message, &hidden) }
        for prompt in prompts { Self.hide(prompt, Self.promptBytes, in: message, &hidden) }
        return Self.line(String(decoding: Self.shown(message, hidden), as: UTF8.self), maxBytes: maxBytes)
    }

    /// A whole body, with `***` for keys and passwords. (The client that it is for wrote the prompt.)
    package func withoutSecrets(_ body: [UInt8]) -> String {
        guard !secrets.isEmpty else { return String(decoding: body, as: UTF8.self) }
        var hidden = [Bool](repeating: false, count: body.count)
        for secret in secrets { Self.hide(secret, Self.secretBytes, in: body, &hidden) }
        return String(decoding: Self.shown(body, hidden), as: UTF8.self)
    }

    private static func shown(_ message: [UInt8], _ hidden: [Bool]) -> [UInt8] {
        var shown: [UInt8] = []
        for (index, byte) in message.enumerated() {
            if !hidden[index] {
                shown.append(byte)
            } else if index == 0 || !hidden[index - 1] {
                shown.append(contentsOf: "***".utf8)
            }
        }
        return shown
    }

    /// Marks each part of `message` that is also in `secret`, if it is as long as the range says: the whole of a short
    /// secret, any part of a long one.
    private static func hide(_ secret: [UInt8], _ lengths: ClosedRange<Int>, in message: [UInt8], _ hidden: inout [Bool]) {
        let width = min(secret.count, lengths.upperBound)
        guard width >= lengths.lowerBound, message.count >= width else { return }
        var positions: [UInt64: [Int]] = [:]
        slide(over: message, width) { hash, position in positions[hash, default: []].append(position) }
        slide(over: secret, width) { hash, position in
            guard let candidates = positions[hash] else { return }
            for start in candidates where message[start..<start + width].elementsEqual(secret[position..<position + width]) {
                for index in start..<start + width { hidden[index] = true }
            }
        }
    }

    /// Visits every window of `width` bytes with its rolling hash.
    private static func slide(over bytes: [UInt8], _ width: Int, _ visit: (UInt64, Int) -> Void) {
        let base: UInt64 = 0x9E37_79B9_7F4A_7C15
        var leading: UInt64 = 1
        for _ in 1..<width { leading = leading &* base }
        var hash: UInt64 = 0
        for index in bytes.indices {
            if index >= width { hash = hash &- UInt64(bytes[index - width]) &* leading }
            hash = hash &* base &+ UInt64(bytes[index])
            if index >= width - 1 { visit(hash, index - width + 1) }
        }
    }

    /// Puts a text on one line: control, formatting and broken characters become spaces, and runs of spaces one. It is cut between
    /// characters.
    package static func line(_ text: String, maxBytes: Int = Redaction.maxBytes) -> String {
        var line = ""
        var bytes = 0
        var blank = false
        for character in text {
            let isBlank = character.isWhitespace || character.unicodeScalars.contains { unwanted($0) }
            if isBlank {
                blank = bytes > 0
                continue
            }
            let size = character.utf8.count + (blank ? 1 : 0)
            if bytes + size > maxBytes { break }
            if blank { line.append(" ") }
            line.append(character)
            bytes += size
            blank = false
        }
        return line
    }

    private static func unwanted(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator, .privateUse: true
        // Text that runs backwards could make a message say something else; a joiner inside an emoji may stay.
        case .format: scalar.value != 0x200D && scalar.value != 0x200C
        default: scalar.value == 0xFFFD
        }
    }
}

extension Outcome {
    /// Removes the server's id for the call if it holds a secret: a proxy may write back what it was sent, in any header.
    package func withoutSecrets(_ secrets: [String]) -> Outcome {
        func isClean(_ id: String) -> Bool { !secrets.contains { $0.utf8.count >= 4 && id.contains($0) } }
        switch self {
        case .reply(var reply):
            reply.requestID = reply.requestID.flatMap { isClean($0) ? $0 : nil }
            return .reply(reply)
        case .failure(var failure):
            failure.requestID = failure.requestID.flatMap { isClean($0) ? $0 : nil }
            return .failure(failure)
        }
    }
}
