import AgentQueueDialects
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import HTTPTypes

/// Runs of pipelines. They belong to no key.
extension JobRoutes {
    var runRoutes: [Route] {
        [
            Route(.get, "/api/runs", scope: .readAll) { [self] in try await listRuns($0) },
            Route(.get, "/api/runs/{id}", scope: .readAll) { [self] in try await showRun($0) },
        ]
    }

    private func listRuns(_ exchange: Exchange) async throws {
        let head = exchange.head
        let limit = Int(try head.number("limit", in: JobSelection.limits) ?? JobSelection.usualLimit)
        let before = try head.number("before", in: 1...Int64.max)
        let states = try JobSelection.parts(head, "state").map { (text) throws(GatewayError) in
            try JobSelection.value(RunState(rawValue: text), text, "state", of: RunState.allCases.map(\.rawValue))
        }
        // One more than fits, to know whether there is another page.
        let runs = try store.runs.list(states: states, name: head.asked("name"), before: before, limit: limit + 1)
        let page = runs.prefix(limit)
        let json: JSONValue = [
            "runs": .array(page.map(RunJSON.summary)),
            "next_before": runs.count > limit ? page.last.map { .integer($0.id) } ?? .null : .null,
        ]
        try await exchange.response.send(200, .json, body: json.utf8(sorted: false))
    }

    private func showRun(_ exchange: Exchange) async throws {
        let text = exchange.head.parameters["id"] ?? ""
        guard let id = Int64(text), let run = try store.runs.detail(id) else {
            throw GatewayError(.notFound, "There is no run \(InvalidText.quoted(text)), or no longer.")
        }
        try await exchange.response.send(200, .json, body: RunJSON.detail(run).utf8(sorted: false))
    }
}
