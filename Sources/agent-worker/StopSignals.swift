import AgentQueue
import ServiceLifecycle
import UnixSignals

/// The signals that ask a process to stop.
enum StopSignals {
    /// SIGTERM and SIGINT, and SIGHUP and SIGQUIT unless they were ignored when the process started, as after `nohup`. Read it before the
    /// first of them is trapped.
    static let asked: [UnixSignal] = [.sigterm, .sigint] + [.sighup, .sigquit].filter { !IgnoredSignals.contains($0.rawValue) }

    /// What a supervisor sends to its children. Signals of their own, so that a child does not take what is passed on for a second request.
    static let passedOn = (stop: UnixSignal.sigusr1, stopAtOnce: UnixSignal.sigusr2)

    /// What this process traps.
    static let trapped = asked + (SupervisedChild.isOne ? [passedOn.stop, passedOn.stopAtOnce] : [])
}

/// Hands running jobs back at the second request to stop. The service group begins the shutdown at the first.
struct SecondSignal: Service {
    private let worker: WorkerService

    init(_ worker: WorkerService) { self.worker = worker }

    func run() async throws {
        var requests = StopRequests()
        for await signal in await UnixSignalsSequence(trapping: StopSignals.trapped).cancelOnGracefulShutdown() {
            switch signal {
            case StopSignals.passedOn.stop: break
            case StopSignals.passedOn.stopAtOnce: worker.stopAtOnce()
            default: if requests.request() == .stopAtOnce { worker.stopAtOnce() }
            }
        }
    }
}
