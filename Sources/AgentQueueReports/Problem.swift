import AgentQueue
import AgentQueueMemory
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore

/// What kind of trouble an error is: each program has its own words for it, such as exit codes or HTTP statuses.
package enum Problem: Sendable {
    /// It was asked for in a wrong way.
    case usage
    /// The data is wrong, or what was named does not exist.
    case badInput
    /// A provider or the database cannot be used now.
    case unavailable
    case internalError
    case inputOutput
    case noPermission
    case badConfiguration

    /// The kind of an error of the library; nil for errors of others.
    package init?(_ error: any Error) {
        switch error {
        case let error as StoreError: self.init(error.kind)
        case is SettingsError, is PipelineError: self = .badConfiguration
        case let error as InputError: self.init(error.exit)
        case is InvalidText: self = .usage
        case is JSONError, is MemoryError, is VectorError: self = .badInput
        case let error as ModelFailure: self.init(error.failure)
        default: return nil
        }
    }

    private init(_ kind: StoreError.Kind) {
        switch kind {
        case .notOurs, .corrupt, .conflict, .notFound: self = .badInput
        case .newerSchema, .alteredSchema, .busy, .closed: self = .unavailable
        case .full, .io: self = .inputOutput
        case .permission: self = .noPermission
        case .internal: self = .internalError
        }
    }

    private init(_ kind: InputError.ExitKind) {
        switch kind {
        case .usage: self = .usage
        case .badData: self = .badInput
        case .inputOutput: self = .inputOutput
        case .permission: self = .noPermission
        }
    }

    /// A model that refuses what it was sent would refuse it again; anything else may pass.
    private init(_ failure: FailureClass) {
        switch failure {
        case .permanent, .refused: self = .badInput
        default: self = .unavailable
        }
    }
}
