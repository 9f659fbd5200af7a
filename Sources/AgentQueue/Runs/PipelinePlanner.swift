import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore
import Crypto
import Foundation
import Synchronization

/// Turns pipelines into jobs: decides what runs do next.
package final class PipelinePlanner: RunPlanner {
    private let store: QueueStore
    private let context: IntakeContext
    /// The pipelines of the latest runs, the latest last.
    private let known = Mutex<[KnownPipeline]>([])

    private struct KnownPipeline {
        var digest: [UInt8]
        var pipeline: Pipeline
    }

    /// The maximum number of parsed pipelines kept in memory.
    private static let mostKnown = 32

    /// - Parameter own: the embedding program's providers.
    package init(store: QueueStore, settings: Settings, own: [any ModelProvider] = []) {
        self.store = store
        context = settings.intakeContext(now: store.clock.wall(), own: own)
    }

    /// What to write for a run, given the ended calls that it has not processed yet.
    /// - Throws: `PipelineError` if its definition cannot be read; `StoreError`.
    package func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance {
        var run = run
        if let ended { run.ends.append(ended) }
        return try advance(run, of: try pipeline(of: run)) { $0.advance($1, outputs: $2) }
    }

    /// What to write to retry a failed or cancelled run: only what failed, and what depends on it.
    /// - Throws: `PipelineError` if its definition cannot be read; `StoreError`.
    package func retry(_ run: RunSnapshot) throws -> RunAdvance {
        var advance = try advance(run, of: try pipeline(of: run)) { $0.retry($1, outputs: $2) }
        advance.resumes = true
        return advance
    }

    /// The output of a step, an element or a round of a run, as later steps see it; nil if it has none (yet).
    /// - Parameter path: a path of a call, a step or a round: see ``Pipeline/output(of:in:outputs:)``.
    /// - Throws: `InputError` (`badData`) if the pipeline has no such step; `PipelineError`; `StoreError`.
    package func output(of path: String, in run: RunSnapshot) throws -> JSONValue? {
        let pipeline = try pipeline(of: run)
        var outputs: [String: String] = [:]
        while true {
            switch pipeline.output(of: path, in: run, outputs: outputs) {
            case .needs(let paths): try read(paths, of: run, into: &outputs)
            case .value(let value): return value
            case .none: return nil
            case .unknown:
                let known = pipeline.stepNames
                let hint = Suggestion.hint(for: path, in: known + run.steps.keys.sorted())
                let help = hint.isEmpty ? " (its steps: \(known.prefix(20).joined(separator: ", ")))" : hint
                throw InputError("run \(run.id) has no step \(InvalidText.quoted(path))\(help)", kind: .badData)
            }
        }
    }

    /// Prepares a run of a pipeline, with its first calls.
    /// - Parameters:
    ///   - name: the requested name, of the pipeline or a mode.
    ///   - inputs: an object, which is checked and completed with the defaults.
    /// - Throws: `PipelineError` if the inputs do not fit; `InputError` if the options are invalid.
    package func run(
        _ pipeline: Pipeline, name: String? = nil, inputs: JSONValue, options: RunOptions = RunOptions()
    ) throws -> NewRun {
        try check(options)
        let definition = pipeline.definition
        let digest = Array(SHA256.hash(data: Data(definition.utf8)))
        var run = NewRun(
            name: name ?? pipeline.name, digest: digest, definition: definition, inputs: try pipeline.checked(inputs: inputs),
            options: options)
        let snapshot = RunSnapshot(
            id: 0, name: run.name, digest: digest, definition: definition, inputs: run.inputs, options: run.options)
        run.first = try advance(snapshot, of: pipeline) { $0.advance($1, outputs: $2) }
        return run
    }

    /// Refuses options that no job can have once, rather than for each call.
    private func check(_ options: RunOptions) throws {
        var draft = JobDraft()
        draft.prompt = "-"
        options.complete(&draft)
        _ = try draft.validated(in: now)
    }

    private var now: IntakeContext {
        var context = context
        context.now = store.clock.wall()
        return context
    }

    // MARK: Deciding

    private typealias Question = (Pipeline, RunSnapshot, [String: String]) -> AdvanceResult

    private func advance(_ run: RunSnapshot, of pipeline: Pipeline, _ ask: Question) throws -> RunAdvance {
        var run = run
        var outputs: [String: String] = [:]
        for end in run.ends { if case .completed(let text) = end.outcome { outputs[end.path] = text } }
        let context = now
        // A call that cannot be made counts as failed, and the run continues from there.
        while true {
            let decision = try decision(run, of: pipeline, &outputs, ask)
            var steps: [NewStep] = []
            var refused: [StepEnd] = []
            for call in decision.calls {
                do throws(InputError) {
                    var draft = call.job
                    run.options.complete(&draft)
                    steps.append(NewStep(path: call.path, job: try draft.validated(in: context)))
                } catch {
                    refused.append(StepEnd(path: call.path, jobID: nil, outcome: .failed(message: error.message)))
                }
            }
            guard refused.isEmpty else {
                run.ends += refused
                continue
            }
            var advance = RunAdvance(run: run.id, version: run.version)
            advance.told = run.ends
            advance.begun = steps
            advance.end = decision.end
            advance.isDue = decision.isDue
            advance.forgotten = decision.forgotten
            advance.revived = decision.revived
            return advance
        }
    }

    private func decision(
        _ run: RunSnapshot, of pipeline: Pipeline, _ outputs: inout [String: String], _ ask: Question
    ) throws -> NextSteps {
        while true {
            switch ask(pipeline, run, outputs) {
            case .decided(let decision):
                return decision
            case .needs(let paths): try read(paths, of: run, into: &outputs)
            }
        }
    }

    /// Reads the answers of completed calls.
    private func read(_ paths: [String], of run: RunSnapshot, into outputs: inout [String: String]) throws {
        let missing = paths.filter { outputs[$0] == nil }
        let found = try store.runs.stepOutputs(of: run.id, missing)
        // Otherwise it would be asked for for ever.
        if let lost = missing.first(where: { found[$0] == nil }) ?? (missing.isEmpty ? paths.first ?? "" : nil) {
            throw PipelineError(key: lost, message: "the answer of a completed call is not there")
        }
        outputs.merge(found) { $1 }
    }

    private func pipeline(of run: RunSnapshot) throws -> Pipeline {
        let found = known.withLock { known -> Pipeline? in
            guard let place = known.firstIndex(where: { $0.digest == run.digest }) else { return nil }
            known.append(known.remove(at: place))
            return known.last?.pipeline
        }
        if let found { return found }
        let pipeline = try Pipeline(definition: run.definition)
        known.withLock { known in
            known.append(KnownPipeline(digest: run.digest, pipeline: pipeline))
            if known.count > Self.mostKnown { known.removeFirst() }
        }
        return pipeline
    }
}
