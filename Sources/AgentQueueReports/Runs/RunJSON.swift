import AgentQueueModel
import AgentQueueStore

/// Runs as JSON.
package enum RunJSON {
    /// What starting a run came to, as `run --json` prints it.
    package static func receipt(_ started: StartedRun, _ state: RunState) -> JSONValue {
        .object([
            .init("id", .integer(started.id)), .init("state", .string(state.rawValue)),
            .init("duplicate_of", started.duplicateOf.map(JSONValue.integer) ?? .null),
        ])
    }

    /// A run in a line.
    package static func summary(_ run: RunSummary) -> JSONValue { .object(members(run)) }

    /// A run with its calls.
    /// - Parameter waits: why none of its jobs runs. The key is present only if there are reasons.
    package static func detail(_ run: RunDetail, waits: [WaitReason] = []) -> JSONValue {
        .object(
            members(run.summary) + [
                .init("inputs", run.snapshot.inputs), .init("options", run.snapshot.options.json), .init("output", run.output ?? .null),
                .init("steps", .array(run.calls.map(call))),
            ] + (waits.isEmpty ? [] : [.init("waiting", .array(waits.map { .string($0.sentence) }))]))
    }

    private static func members(_ run: RunSummary) -> [JSONValue.Member] {
        [
            .init("id", .integer(run.id)), .init("name", .string(run.name)), .init("state", .string(run.state.rawValue)),
            .init("created_at", JobJSON.time(run.createdAt)), .init("finalized_at", JobJSON.time(run.finalizedAt)),
            .init(
                "calls",
                .object([
                    .init("begun", .integer(Int64(run.begun))), .init("completed", .integer(Int64(run.completed))),
                    .init("failed", .integer(Int64(run.failed))),
                ])),
            .init("usage", JobJSON.usage(run.usage)), .init("cost_usd", Money.json(run.cost)),
            .init("unpriced_calls", .integer(Int64(run.unpricedCalls))), .init("reason", JobJSON.string(run.reason)),
        ]
    }

    private static func call(_ call: StepCallDetail) -> JSONValue {
        .object([
            .init("path", .string(call.record.path)), .init("job", call.record.jobID.map(JSONValue.integer) ?? .null),
            .init("state", .string(call.record.state.rawValue)), .init("job_state", JobJSON.string(call.jobState?.rawValue)),
            .init("model", JobJSON.string(call.target)), .init("answered_by", JobJSON.string(call.answeredBy?.rawValue)),
            .init("attempts", .integer(Int64(call.attempts))), .init("created_at", JobJSON.time(call.createdAt)),
            .init("attempted_at", JobJSON.time(call.attemptedAt)), .init("finalized_at", JobJSON.time(call.finalizedAt)),
            .init("usage", JobJSON.usage(call.usage)), .init("cost_usd", Money.json(call.cost)),
            .init("error", JobJSON.string(call.failure)),
        ])
    }
}
