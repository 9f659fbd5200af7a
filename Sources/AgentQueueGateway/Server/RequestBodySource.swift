import AgentQueueDialects
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
        let isFirst = progress.withLock { progress in
            guard progress == .unread else { return false }
            progress = .reading
            return true
        }
        guard isFirst else { throw GatewayError(.malformed, "The request's body is there once and was read before.") }
        do {
            let held = try await read(response)
            progress.withLock { $0 = .whole }
            return held
        } catch {
            progress.withLock { $0 = .failed }
            throw error
        }
    }

    private func read(_ response: ResponseWriter) async throws -> HeldBody {
        if let length, length > limit { throw tooLarge }
        let share = BodyMemory.Share(of: memory)
        try share.grow(to: length ?? 0)
        if isAwaited { try await response.sendContinue() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length ?? 0)
        do {
            for try await piece in body {
                guard bytes.count + piece.readableBytes <= limit else { throw tooLarge }
                try share.grow(to: max(length ?? 0, bytes.count + piece.readableBytes))
                bytes.append(contentsOf: piece.readableBytesView)
            }
        } catch is BodyTooSlow {
            throw GatewayError(
                .bodyTimeout, "The request's body arrives too slowly: send at least 8 KiB a second, and all of it in 10 minutes.")
        } catch is HTTPParserError {
            throw GatewayError(.malformed, "The request's body is not framed as HTTP asks for: send content-length or whole chunks.")
        }
        guard length.map({ $0 == bytes.count }) ?? true else {
            throw GatewayError(.malformed, "The request's body ended early: send all the bytes that content-length announces.")
        }
        return HeldBody(bytes, share)
    }

    private var tooLarge: GatewayError {
        GatewayError(.tooLarge, "The request is larger than \(limit) bytes: send less, or have serve.max_body raised.")
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
