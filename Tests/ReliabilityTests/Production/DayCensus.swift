import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

/// What must hold at the end of a day: for every job that was promised, every call that was paid for, and the workers' own use of the
/// machine.
struct DayCensus {
    let day: ProductionDay
    private let record: ProductionDay.State
    private let charges: [Lease: DayProviders.Charge]
    private let hangs: [Int64: Int]

    init(_ day: ProductionDay) {
        self.day = day
        record = day.record
        charges = day.providers.charges
        hangs = day.providers.hangs
    }

    /// Every job whose ID was printed ended once, with the answer to its own question.
    func checkJobs() {
        for (id, prompt) in record.acknowledged {
            let end = record.ends[id]
            #expect(end?.state == .completed, "job \(id)")
            #expect(end?.text?.hasPrefix("echo \(prompt)") == true, "job \(id)")
        }
        #expect(record.changed == [], "ended more than once")
        // Nor was a job added by a command that said that it could not.
        #expect(Set(record.ends.keys).subtracting(record.acknowledged.keys) == [])
    }

    /// Calls that were charged for = distinct prompts answered + calls under way when their worker was killed + calls that the provider
    /// broke off after it had charged + calls that took longer than their time limit.
    func checkCalls() throws {
        #expect(day.providers.repeated == 0, "charged for twice under one token")
        // The calls of each job for whose answer there is no reason not to have arrived.
        var kept: [Int64: Int] = [:]
        for (lease, charge) in charges { kept[lease.jobID, default: 0] += charge.isCut || record.killed.contains(lease) ? 0 : 1 }
        for (id, end) in record.ends where end.state == .completed {
            #expect(kept[id, default: 0] - late(id) == 1, "calls for job \(id), which ended so: \(end)")
        }
        #expect(charges.count == answered + killed + cut + late)
        // All of it is on record, as calls that may have been paid for in vain.
        let doubtful = Set(
            try day.scene.numbers("SELECT job_id, token FROM charges WHERE outcome IN ('doubtful', 'fenced')")
                .map { Lease(jobID: $0[0], token: $0[1]) })
        let unknown = charges.filter { record.killed.contains($0.key) || $0.value.isCut }.keys.filter { !doubtful.contains($0) }
        #expect(unknown == [])
    }

    private var answered: Int { record.ends.values.count { $0.state == .completed } }
    private var killed: Int { charges.keys.count { record.killed.contains($0) && !isCut($0) } }
    private var cut: Int { charges.keys.count { isCut($0) } }
    private var late: Int { record.ends.keys.reduce(0) { $0 + late($1) } }

    private func isCut(_ lease: Lease) -> Bool { charges[lease]?.isCut == true }

    /// How many of a job's calls were charged for and ended by the time limit: the others that it ended were never answered.
    private func late(_ id: Int64) -> Int { max(0, (record.ends[id]?.timeouts ?? 0) - (hangs[id] ?? 0)) }

    /// Memory and descriptors do not grow in the second half, and neither does the file beyond what is kept.
    func checkUse(growthMiB: Double) {
        #expect(memoryGrowth <= growthMiB, "MiB in the second half")
        let descriptors = record.samples.map(\.descriptors)
        let half = descriptors.count / 2
        #expect((descriptors[half...].max() ?? 0) - (descriptors[..<half].max() ?? 0) <= 8)
        for size in record.sizes { #expect(size.bytes <= size.bound) }
    }

    /// MiB by which the straight line through the samples of the second half rises.
    private var memoryGrowth: Double {
        let samples = record.samples.suffix(record.samples.count / 2)
        guard let first = samples.first, let last = samples.last, last.at > first.at else { return 0 }
        let count = Double(samples.count)
        let meanTime = samples.reduce(0) { $0 + $1.at } / count
        let meanMemory = samples.reduce(0) { $0 + Double($1.anonymousKiB) } / count
        let above = samples.reduce(0) { $0 + ($1.at - meanTime) * (Double($1.anonymousKiB) - meanMemory) }
        let below = samples.reduce(0) { $0 + ($1.at - meanTime) * ($1.at - meanTime) }
        return above / below * (last.at - first.at) / 1_024
    }

    /// The day in one line.
    var figures: String {
        let memory = record.samples.map { $0.anonymousKiB / 1_024 }
        let descriptors = record.samples.map(\.descriptors)
        let growth = (memoryGrowth * 10).rounded() / 10
        let sizes = record.sizes.map { $0.bytes >> 10 }
        return """
            production day: \(record.acknowledged.count) jobs acknowledged, \(answered) completed, \(record.refusals) commands refused by a full \
            disk; \(charges.count) calls charged = \(answered) answers + \(killed) under way at \(record.kills) kills + \(cut) cut by the \
            provider + \(late) late; memory of a worker \(memory.first ?? 0) to \(memory.last ?? 0) MiB, \(growth) in the second half; \
            descriptors \(descriptors.min() ?? 0) to \(descriptors.max() ?? 0); database and log after each prune \(sizes) KiB
            """
    }
}
