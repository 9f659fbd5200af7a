import AgentQueue
import ArgumentParser
import Dispatch
import Glibc
import Synchronization

/// Ctrl-C during a wait: the wait ends cleanly, and the job goes on without it.
enum Interruption {
    /// Runs `body`. On a signal that asks it to stop, cancels it, waits for its end, and says what becomes of the job.
    ///
    /// - Throws: `ExitCode`, that of a program that the signal ended.
    static func reporting(job id: Int64, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        let numbers = [SIGINT, SIGTERM] + [SIGHUP, SIGQUIT].filter { !IgnoredSignals.contains($0) }
        let sources = numbers.map { number in
            // The default action would end the process before the source sees the signal.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in numbers { signal(number, SIG_DFL) }
        }
        try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask {
                try await body()
                return nil
            }
            group.addTask {
                var first: Int32?
                for await number in signals {
                    first = number
                    break
                }
                return first
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            guard let number = first else { return }
            // A second signal ends the process at once.
            for number in numbers { signal(number, SIG_DFL) }
            // What the cancelled body throws is not news.
            _ = try? await group.next()
            Diagnostics.say("interrupted; job \(id) stays in the queue: see 'agent-queue show \(id)', or 'agent-queue cancel \(id)'")
            throw ExitCode(128 + number)
        }
    }

    /// Runs `body`, which cleans up after itself and ends once it is told that a signal has asked it to stop.
    ///
    /// - Throws: `ExitCode` after a signal, that of a program that the signal ended.
    static func checking<Value>(_ body: (_ isInterrupted: @escaping () -> Bool) throws -> Value) throws -> Value {
        let received = SignalNumber()
        let numbers = [SIGINT, SIGTERM] + [SIGHUP, SIGQUIT].filter { !IgnoredSignals.contains($0) }
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { received.number.store(number, ordering: .relaxed) }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in numbers { signal(number, SIG_DFL) }
        }
        do {
            return try body { received.number.load(ordering: .relaxed) != 0 }
        } catch is CancellationError {
            throw ExitCode(128 + received.number.load(ordering: .relaxed))
        }
    }

    private final class SignalNumber: Sendable {
        let number = Atomic<Int32>(0)
    }
}
