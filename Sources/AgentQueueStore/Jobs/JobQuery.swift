import AgentQueueModel

extension JobStore {
    /// Returns a page of jobs, newest first.
    /// - Parameters:
    ///   - before: only jobs with a smaller id; nil begins with the newest.
    ///   - first: no job with a smaller id is looked at. It bounds the time where no index serves the filter.
    package func list(_ filter: JobFilter, limit: Int, before: Int64? = nil, from first: Int64 = 0) throws -> [Job] {
        try matching(filter, .newestFirst, from: before ?? .max, through: first, limit: limit) { try Job.fetch($0, ids: $1) }
    }

    /// Returns a page of jobs with ids larger than `after`, oldest first. Use it to walk any number of jobs in constant memory.
    package func list(_ filter: JobFilter, limit: Int, after: Int64) throws -> [Job] {
        try matching(filter, .oldestFirst, from: after, limit: limit) { try Job.fetch($0, ids: $1) }
    }

    /// Returns the ids of matching jobs after `after` and up to `last`, in ascending order.
    func ids(_ filter: JobFilter, after: Int64, through last: Int64, limit: Int) throws -> [Int64] {
        try matching(filter, .oldestFirst, from: after, through: last, limit: limit) { $1 }
    }

    /// Returns how many matching jobs there are in each state. Without other conditions than queues and models, it reads counters only.
    /// - Parameter leavesEndedSteps: whether to leave out jobs that ended as steps of runs.
    package func counts(_ filter: JobFilter, leavesEndedSteps: Bool = false) throws -> [JobState: Int] {
        guard !filter.readsContent else { return try countsByContent(filter, leavesEndedSteps: leavesEndedSteps) }
        return try read { reader in
            if !leavesEndedSteps, filter.isOfLanes { return try Self.laneCounts(filter, reader) }
            return try JobQuery(filter, in: reader).counts(reader, leavesEndedSteps: leavesEndedSteps)
        }
    }

    /// Walks matching jobs, oldest first, for what their metadata and requests look like.
    /// - Parameters:
    ///   - limit: the most jobs.
    ///   - body: receives the metadata and, of a request with a JSON Schema, the canonical request. Returns whether to go on.
    /// - Returns: the id of the last job; 0 if there is none.
    package func survey(
        _ filter: JobFilter, limit: Int, _ body: (_ metadata: JSONValue?, _ request: JSONValue?) throws -> Bool
    ) throws -> Int64 {
        var (after, left) = (Int64(0), limit)
        while left > 0 {
            let wanted = min(left, Self.looksAtOnce)
            let page = try matching(filter, .oldestFirst, from: after, limit: wanted) { reader, ids in
                try ids.compactMap { id in
                    try reader.statement(
                        "SELECT metadata, CASE WHEN instr(body, '\"json_schema\"') > 0 THEN body END FROM requests WHERE job_id = ?"
                    ).bind(id).first { (id: id, metadata: $0.optionalText(0), request: $0.optionalText(1)) }
                }
            }
            for job in page {
                after = job.id
                let goesOn = try body(
                    try job.metadata.map { try JSONValue.parse($0) }, try job.request.map { try JSONValue.parse($0) })
                if !goesOn { return after }
            }
            left -= page.count
            if page.count < wanted { break }
        }
        return after
    }

    /// The batches and queues of a filter that do not exist: the first of each kind. A queue exists once a job, a schedule or a pause has
    /// named it.
    package func unknownNames(in filter: JobFilter) throws -> (queue: String?, batch: String?) {
        guard !filter.queues.isEmpty || !filter.batches.isEmpty else { return (nil, nil) }
        return try read { reader in
            let queue = try filter.queues.first { try !Self.isKnown(queue: $0, reader) }
            let batch = try filter.batches.first { try !reader.statement("SELECT 1 FROM batches WHERE name = ?").bind($0).exists() }
            return (queue, batch)
        }
    }

    /// Whether a job, a schedule or a pause has named a queue.
    package func isKnown(queue: String) throws -> Bool { try read { try Self.isKnown(queue: queue, $0) } }

    private static func isKnown(queue: String, _ reader: ReadConnection) throws -> Bool {
        if try reader.statement("SELECT 1 FROM queues WHERE name = ?").bind(queue).exists() { return true }
        return try reader.statement("SELECT work FROM schedules").all { $0.text(0) }.contains { work in
            // A schedule whose work cannot be read names no queue; firing it reports the damage.
            let job = (try? JSONValue.parse(work))?["job"]
            return job.map { ($0["queue"]?.string ?? "default").utf8.elementsEqual(queue.utf8) } ?? false
        }
    }

    // MARK: Walking

    /// How many jobs are looked at in one snapshot when their content decides.
    private static let looksAtOnce = 500

    /// Fetches matching jobs in slices. Where the content of jobs decides, each slice is a snapshot of its own, so that a long walk does not
    /// keep the write-ahead log from being reset.
    private func matching<Row>(
        _ filter: JobFilter, _ order: JobQuery.Order, from start: Int64, through last: Int64? = nil, limit: Int,
        fetch: (ReadConnection, [Int64]) throws -> [Row]
    ) throws -> [Row] {
        guard filter.readsContent else {
            return try read { reader in
                try fetch(reader, JobQuery(filter, in: reader).ids(reader, order, from: start, through: last, limit: limit))
            }
        }
        var found: [Row] = []
        var place: Int64? = start
        while let from = place, found.count < limit {
            place = try read { reader in
                let ids = try JobQuery(filter, in: reader).ids(reader, order, from: from, through: last, limit: Self.looksAtOnce)
                let matching = try JobContent(filter).matching(ids, reader, atMost: limit - found.count)
                found += try fetch(reader, matching)
                return ids.count < Self.looksAtOnce ? nil : ids.last
            }
        }
        return found
    }

    private func countsByContent(_ filter: JobFilter, leavesEndedSteps: Bool) throws -> [JobState: Int] {
        var counts: [JobState: Int] = [:]
        var after: Int64 = 0
        while true {
            let states = try matching(filter, .oldestFirst, from: after, limit: Self.looksAtOnce) { reader, ids in
                try ids.map { id in
                    try reader.statement("SELECT state, run_id FROM jobs WHERE id = ?").bind(id).first {
                        (id: id, state: JobState(rawValue: $0.text(0)), isStep: $0.optionalInt64(1) != nil)
                    }
                }
            }.compactMap(\.self)
            for found in states {
                guard let state = found.state, !leavesEndedSteps || !found.isStep || !state.isFinal else { continue }
                counts[state, default: 0] += 1
            }
            guard states.count == Self.looksAtOnce, let last = states.last else { return counts }
            after = last.id
        }
    }

    private static func laneCounts(_ filter: JobFilter, _ reader: ReadConnection) throws -> [JobState: Int] {
        var counts: [JobState: Int] = [:]
        for lane in try LaneSummary.fetchAll(reader) {
            guard filter.queues.isEmpty || filter.queues.contains(lane.queue) else { continue }
            guard filter.models.isEmpty || filter.models.contains(lane.target) else { continue }
            for state in JobState.allCases where filter.states.isEmpty || filter.states.contains(state) {
                counts[state, default: 0] += lane.count(state)
            }
        }
        return counts.filter { $0.value > 0 }
    }
}

extension JobFilter {
    /// Whether lanes and their counters decide.
    fileprivate var isOfLanes: Bool {
        var rest = self
        (rest.states, rest.queues, rest.models) = ([], [], [])
        return rest.isEmpty
    }
}

/// The part of a filter that only a job's request and metadata can answer.
private struct JobContent {
    private let filter: JobFilter
    private let search: TextSearch?

    init(_ filter: JobFilter) {
        self.filter = filter
        search = filter.textSearch
    }

    func matching(_ ids: [Int64], _ reader: ReadConnection, atMost limit: Int) throws -> [Int64] {
        var matching: [Int64] = []
        for id in ids where matching.count < limit {
            if try matches(id, reader) { matching.append(id) }
        }
        return matching
    }

    private func matches(_ id: Int64, _ reader: ReadConnection) throws -> Bool {
        if !filter.metadata.isEmpty {
            let stored = try reader.statement("SELECT metadata FROM requests WHERE job_id = ?").bind(id).first { $0.optionalText(0) }
            guard filter.matches(metadata: try stored?.map { try JSONValue.parse($0) }) else { return false }
        }
        guard let search else { return true }
        let body = try reader.statement("SELECT body FROM requests WHERE job_id = ?").bind(id).first { $0.text(0) }
        return try body.map { try search.matches(body: $0) } ?? false
    }
}

/// A job filter translated to SQL, without what only the content of jobs can answer.
struct JobQuery {
    enum Order {
        case newestFirst, oldestFirst
    }

    private enum Value {
        case number(Int64)
        case text(String)
    }

    private var conditions: [String] = []
    private var values: [Value] = []
    private var joins = ""
    private var isEmptySet = false

    init(_ filter: JobFilter, in reader: ReadConnection) throws {
        if filter.tags.count == 1 {
            joins = "JOIN job_tags ON job_tags.job_id = jobs.id AND job_tags.tag = ?"
            values.append(.text(filter.tags[0]))
        } else if !filter.tags.isEmpty {
            require(anyOf: filter.tags) { "jobs.id IN (SELECT job_id FROM job_tags WHERE tag IN (\($0)))" }
        }
        if !filter.queues.isEmpty {
            try restrict(
                toLanes: filter.queues.flatMap { try reader.statement("SELECT id FROM lanes WHERE queue = ?").bind($0).all { $0.int64(0) } }
            )
        }
        if !filter.models.isEmpty {
            try restrict(
                toLanes: filter.models.flatMap {
                    try reader.statement("SELECT id FROM lanes WHERE target = ?").bind($0).all { $0.int64(0) }
                })
        }
        if !filter.batches.isEmpty {
            let ids = try filter.batches.compactMap { try reader.statement("SELECT id FROM batches WHERE name = ?").bind($0).number() }
            if ids.isEmpty { isEmptySet = true }
            require("jobs.batch_id", among: ids)
        }
        if let since = filter.since { require("jobs.created_at >= ?", since) }
        if let until = filter.until { require("jobs.created_at < ?", until) }
        if !filter.runs.isEmpty { require("jobs.run_id", among: filter.runs) }
        if !filter.errorClasses.isEmpty {
            let names = filter.errorClasses.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            conditions.append(
                "(SELECT class FROM job_errors WHERE job_errors.job_id = jobs.id ORDER BY job_errors.id DESC LIMIT 1) IN (\(names))")
        }
        guard !filter.states.isEmpty, filter.states.count < JobState.allCases.count else { return }
        try require(filter.states, reader, isFoundOtherwise: !filter.tags.isEmpty || !filter.batches.isEmpty || !filter.runs.isEmpty)
    }

    /// If the states are rare, uses their index and sorts; if they are common, walks the ids.
    private mutating func require(_ states: [JobState], _ reader: ReadConnection, isFoundOtherwise: Bool) throws {
        let names = states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        let counts = try reader.statement(Self.counts).first { row in (0..<8).map { row.int($0) } }
        let wanted = states.reduce(0) { $0 + (counts?[$1.index] ?? 0) }
        if wanted < 5_000, states.allSatisfy(\.isFinal), !isFoundOtherwise {
            conditions.append("jobs.finalized_at IS NOT NULL AND jobs.state IN (\(names))")
        } else {
            conditions.append("+jobs.state IN (\(names))")
        }
    }

    private static let counts: StaticString = """
        SELECT coalesce(sum(pending), 0), coalesce(sum(scheduled), 0), coalesce(sum(available), 0), coalesce(sum(running), 0),
        coalesce(sum(retryable), 0), coalesce(sum(completed), 0), coalesce(sum(cancelled), 0), coalesce(sum(discarded), 0) FROM lanes
        """

    private mutating func require(_ condition: String, _ value: Int64) {
        conditions.append(condition)
        values.append(.number(value))
    }

    private mutating func require(anyOf texts: [String], _ condition: (_ parameters: String) -> String) {
        conditions.append(condition(texts.map { _ in "?" }.joined(separator: ", ")))
        values += texts.map(Value.text)
    }

    private mutating func require(_ column: String, among ids: [Int64]) {
        if ids.count == 1 { return require("\(column) = ?", ids[0]) }
        conditions.append("\(column) IN (\(ids.map(String.init).joined(separator: ", ")))")
    }

    private mutating func restrict(toLanes ids: [Int64]) throws {
        if ids.isEmpty { isEmptySet = true }
        conditions.append("jobs.lane_id IN (\(ids.map(String.init).joined(separator: ", ")))")
    }

    func ids(_ reader: ReadConnection, _ order: Order, from start: Int64, through last: Int64? = nil, limit: Int) throws -> [Int64] {
        guard !isEmptySet else { return [] }
        let isNewestFirst = order == .newestFirst
        let (bound, direction) = isNewestFirst ? ("jobs.id < ?", "DESC") : ("jobs.id > ?", "ASC")
        let end = last.map { ["jobs.id \(isNewestFirst ? ">=" : "<=") \($0)"] } ?? []
        let condition = (conditions + end + [bound]).joined(separator: " AND ")
        let statement = try reader.statement(
            building: "SELECT jobs.id FROM jobs \(joins) WHERE \(condition) ORDER BY jobs.id \(direction) LIMIT \(limit)")
        return try bind(statement).bind(start).all { $0.int64(0) }
    }

    func counts(_ reader: ReadConnection, leavesEndedSteps: Bool) throws -> [JobState: Int] {
        guard !isEmptySet else { return [:] }
        let all = conditions + (leavesEndedSteps ? ["(jobs.run_id IS NULL OR jobs.finalized_at IS NULL)"] : [])
        let condition = all.isEmpty ? "" : "WHERE \(all.joined(separator: " AND "))"
        let statement = try reader.statement(building: "SELECT jobs.state, count(*) FROM jobs \(joins) \(condition) GROUP BY jobs.state")
        let rows = try bind(statement).all { ($0.text(0), $0.int(1)) }
        return Dictionary(rows.compactMap { row in JobState(rawValue: row.0).map { ($0, row.1) } }) { $1 }
    }

    private func bind(_ statement: Statement) -> Statement {
        for value in values {
            switch value {
            case .number(let number): statement.bind(number)
            case .text(let text): statement.bind(text)
            }
        }
        return statement
    }
}
