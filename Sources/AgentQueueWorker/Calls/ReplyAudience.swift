import AgentQueueModel

/// Those in this process who wait for the answers of jobs.
package protocol ReplyAudience: Sendable {
    /// Who hears the pieces of a job's answer as they arrive; nil if nobody wants them. Asked when a call for the job begins: a further
    /// attempt, or a fallback, asks again and begins anew.
    func listener(for job: Int64) -> (@Sendable (ReplyEvent) -> Void)?

    /// A call for the jobs was made and has ended, with an answer or without one. Called by the jobs' task before their attempts are settled.
    func called(_ target: Target, for jobs: [Int64], took duration: Duration)

    /// The commit is done that ended the job, whoever made the call, or that put it back into the queue after an attempt here. Called for
    /// every such commit of this process, by the writer's thread or the job's task, so it must return immediately.
    /// - Parameter state: the job's state since that commit.
    func ended(_ job: Int64, _ state: JobState)
}
