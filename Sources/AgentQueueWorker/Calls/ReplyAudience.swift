import AgentQueueModel

/// Those in this process who wait for the answers of jobs.
package protocol ReplyAudience: Sendable {
    /// Who hears the pieces of a job's answer as they arrive; nil if nobody wants them. Asked when a call for the job begins: a further
    /// attempt, or a fallback, asks again and begins anew.
    func listener(for job: Int64) -> (@Sendable (ReplyEvent) -> Void)?

    /// The commit is done that ended an attempt of the job or handed the job back.
    /// - Parameter state: the job's state since that commit.
    func ended(_ job: Int64, _ state: JobState)
}
