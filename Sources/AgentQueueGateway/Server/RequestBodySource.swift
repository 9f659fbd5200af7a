import AgentQueueDialects
import AgentQueueModel
import HummingbirdCore
import NIOCore
import NIOHTTP1
import Synchronization

/// The body of a request, which is read once.
final class RequestBodySource: Sendable {
    private enum Progress {
        case unread
        case reading
        case whole
        case failed
    }

    private let body: RequestBody
    private let length: Int?
    private let isAwaited: Bool
    private let limit: Int
    private let memory: BodyMemory
    private let progress = Mutex(Progress.unread)

    /// - Parameters:
    ///   - length: what the head says; nil if it comes in chunks.
    ///   - isAwaited: whether the client waits for a word before it sends the body.
    ///   - limit: the largest body.
    init(_ body: RequestBody, length: Int?, isAwaited: Bool, limit: Int, memory: BodyMemory) {
        self.body = body
        self.length = length
        self.isAwaited = isAwaited
        self.limit = limit
        self.memory = memory
    }

    /// Whether nothing of the body is left on the connection, so that the next request can follow.
    var isConsumed: Bool { progress.withLock { $0 == .whole } || length == 0 }

    func whole(_ response: ResponseWriter) async throws -> HeldBody {
        try await once {
            let share = BodyMemory.Share(of: memory)
            var bytes: [UInt8] = []
            let help = limit < JobLimits.maxRequestBytes ? "have serve.max_body raised" : nil
            try await read(response, share, atMost: limit, holding: length ?? 0, help) { piece in
                if bytes.isEmpty { bytes.reserveCapacity(length ?? 0) }
                try share.grow(to: max(length ?? 0, bytes.count + piece.readableBytes))
                bytes.append(contentsOf: piece.readableBytesView)
            }
            return HeldBody(bytes, share)
        }
    }

    /// Hands over the body piece by piece, and takes the next piece from the connection when one has been dealt with.
    /// - Parameters:
    ///   - most: the largest body.
    ///   - held: how much of it is in memory at once.
    func pieces(
        _ response: ResponseWriter, atMost most: Int, holding held: Int, _ take: (ByteBufferView) async throws -> Void
    ) async throws {
        try await once {
            try await read(response, BodyMemory.Share(of: memory), atMost: most, holding: held, "in parts") { piece in
                try await take(piece.readableBytesView)
            }
        }
    }

    private func once<Value>(_ read: () async throws -> Value) async throws -> Value {
        let isFirst = progress.withLock { progress in
            guard progress == .unread else { return false }
            progress = .reading
            return true
        }
        guard isFirst else { throw GatewayError(.malformed, "The request's body is there once and was read before.") }
        do {
            let value = try await read()
            progress.withLock { $0 = .whole }
            return value
        } catch {
            progress.withLock { $0 = .failed }
            throw error
        }
    }

    private func read(
        _ response: ResponseWriter, _ share: BodyMemory.Share, atMost most: Int, holding held: Int, _ help: String?,
        _ take: (ByteBuffer) async throws -> Void
    ) async throws {
        let tooLarge = GatewayError(.tooLarge, "The request is larger than \(most) bytes: send less\(help.map { ", or \($0)" } ?? "").")
        if let length, length > most { throw tooLarge }
        try share.grow(to: held)
        if isAwaited { try await response.sendContinue() }
        var count = 0
        do {
            for try await piece in body {
                count += piece.readableBytes
                guard count <= most else { throw tooLarge }
                try await take(piece)
            }
        } catch is BodyTooSlow {
            throw GatewayError(
                .bodyTimeout, "The request's body arrives too slowly: send at least 8 KiB a second, and all of it in 10 minutes.")
        } catch is HTTPParserError {
            throw GatewayError(.malformed, "The request's body is not framed as HTTP asks for: send content-length or whole chunks.")
        }
        guard length.map({ $0 == count }) ?? true else {
            throw GatewayError(.malformed, "The request's body ended early: send all the bytes that content-length announces.")
        }
    }
}

/// A body arrives more slowly than allowed.
struct BodyTooSlow: Error {}

/// A body in memory. Its share of the memory for bodies is given back when the value is released.
final class HeldBody: Sendable {
    let bytes: [UInt8]
    private let share: BodyMemory.Share?

    init(_ bytes: [UInt8], _ share: BodyMemory.Share? = nil) {
        self.bytes = bytes
        self.share = share
    }
}

/// The memory for the bodies of all requests together.
final class BodyMemory: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(limit: Int) { self.limit = limit }

    var inUse: Int { used.withLock { $0 } }

    /// What one body takes.
    final class Share: Sendable {
        private let memory: BodyMemory
        private let size = Mutex(0)

        init(of memory: BodyMemory) { self.memory = memory }

        deinit { memory.used.withLock { $0 -= size.withLock { $0 } } }

        /// - Throws: `GatewayError` if all bodies together would be too large.
        func grow(to bytes: Int) throws(GatewayError) {
            let fits = size.withLock { size in
                guard bytes > size else { return true }
                let more = bytes - size
                let fits = memory.used.withLock { used in
                    guard used + more <= memory.limit else { return false }
                    used += more
                    return true
                }
                if fits { size = bytes }
                return fits
            }
            if !fits {
                throw GatewayError(.overloaded, "The gateway is reading too many requests at once: send this one again in a second.")
            }
        }
    }
}
