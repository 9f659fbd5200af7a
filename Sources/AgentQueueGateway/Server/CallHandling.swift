import AgentQueue
import AgentQueueWorker

/// The part of the gateway that makes calls. It hears of answers as the audience of the worker inside.
protocol CallHandling: ReplyAudience {
    var routes: [Route] { get }
    /// The number of requests that wait for a job.
    var waiting: Int { get }
    /// Lets the worker inside take jobs with the commits that add them.
    func use(_ worker: WorkerService)
    /// Follows what other processes do, until its task is cancelled.
    func run() async throws
    /// Takes no further calls. Those under way go on.
    func beginShutdown()
    /// Waits until no request waits any more; returns early when its task is cancelled.
    func drained() async
}
