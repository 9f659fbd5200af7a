import GRDB
import JobModel

extension QueueStore {
    /// Begins a run with its first calls, in one transaction. A unique key returns the run that already has it.
    /// - Throws: `StoreError`.
    public func start(_ run: NewRun) async throws -> StartedRun {
        throw StoreError(.internal, "runs are not there yet")
    }

    /// A run with its calls and with the ends it has not been told; nil where there is none.
    public func runSnapshot(_ id: Int64) throws -> RunSnapshot? { nil }

    /// The texts that completed calls of a run were answered with, by path.
    public func stepOutputs(of run: Int64, _ paths: [String]) throws -> [String: String] { [:] }

    /// Writes an advance, unless the run has changed since it was decided. Returns whether it was written.
    public func advance(_ advance: RunAdvance) async throws -> Bool { false }

    /// Runs that are to be told of ends, or have more to begin.
    public func dueRuns(limit: Int = 100) throws -> [Int64] { [] }

    /// Tells due runs of the ends of their jobs, and begins what comes next.
    /// - Returns: whether there may be more to do.
    public func carryOn(runs planner: any RunPlanner) async throws -> Bool { false }

    /// Cancels a run: what waits is cancelled, what runs is told to stop. Returns how it then stands; nil where there is none.
    public func cancel(run id: Int64) async throws -> RunState? { nil }

    /// Cancels one slice of the jobs of runs that have ended without them. Returns whether there may be more to do.
    public func sweepRuns(slice: Int = 200) async throws -> Bool { false }

    /// Runs, newest first.
    /// - Parameters:
    ///   - states: those of these states; all where it is empty.
    ///   - name: those of this pipeline or mode.
    ///   - before: those with a smaller id.
    public func runs(states: [RunState] = [], name: String? = nil, before: Int64? = nil, limit: Int) throws -> [RunSummary] { [] }

    /// Everything about a run; nil where there is none.
    public func runDetail(_ id: Int64) throws -> RunDetail? { nil }

    /// How runs stand, by id; those that are not there are left out.
    public func runStates(of ids: [Int64]) throws -> [Int64: RunState] { [:] }
}
