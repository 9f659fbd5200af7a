import AgentQueue
import ServiceLifecycle
import UnixSignals

/// The signals that ask a process to stop, and which of them make the first and the second request.
///
/// One request can arrive several times: `killall` and systemd's `KillMode=control-group` signal the supervisor and its children alike, and a
/// terminal that closes sends SIGHUP from the kernel and from the shell.
struct StopSignals {
    /// When the first one arrived.
    private var first: ContinuousClock.Instant?

    /// How long after the first signal another is the same request.
    private static let sameRequest = Duration.seconds(1)

    /// SIGTERM and SIGINT, and SIGHUP and SIGQUIT unless they were ignored when the process started, as after `nohup`. Read it before the
    /// first of them is trapped.
    static let asked: [UnixSignal] = [.sigterm, .sigint] + [.sighup, .sigquit].filter { !IgnoredSignals.contains($0.rawValue) }

    /// What a supervisor sends to its children. Signals of their own, so that a child does not take what is passed on for a second request.
    static let passedOn = (stop: UnixSignal.sigusr1, stopAtOnce: UnixSignal.sigusr2)

    /// What this process traps.
    static let trapped = asked + (SupervisedChild.isOne ? [passedOn.stop, passedOn.stopAtOnce] : [])

    enum Request {
        case stop
        case stopAtOnce
        /// It was made before.
        case repeated
    }

    /// What a signal that arrives now asks for.
    mutating func request(now: ContinuousClock.Instant = .now) -> Request {
        guard let first else {
            first = now
            return .stop
        }
        return now - first < Self.sameRequest ? .repeated : .stopAtOnce
    }
}

/// Hands running jobs back at the second request to stop. The service group begins the shutdown at the first.
struct SecondSignal: Service {
    private let worker: WorkerService

    init(_ worker: WorkerService) { self.worker = worker }

    func run() async throws {
        var signals = StopSignals()
        for await signal in await UnixSignalsSequence(trapping: StopSignals.trapped).cancelOnGracefulShutdown() {
            switch signal {
            case StopSignals.passedOn.stop: break
            case StopSignals.passedOn.stopAtOnce: worker.stopAtOnce()
            default: if signals.request() == .stopAtOnce { worker.stopAtOnce() }
            }
        }
    }
}
