import AgentQueue
import AgentQueueMemory
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore

/// The kind of an error. Programs map it to exit codes or HTTP statuses.
package enum Problem: Sendable {
    /// Wrong options or arguments.
    case usage
    /// Invalid data, or something that does not exist.
    case badInput
    /// A provider or the database cannot be used at the moment.
    case unavailable
    case internalError
    case inputOutput
    case noPermission
    case badConfiguration

    /// Nil for errors that are not the library's.
    package init?(_ error: any Error) {
        switch error {
        case let error as StoreError: self.init(error.kind)
        case is SettingsError, is PipelineError: self = .badConfiguration
        case let error as InputError: self.init(error.kind)
        case is InvalidText: self = .usage
        case is JSONError, is MemoryError, is VectorError: self = .badInput
        case let error as ModelFailure: self.init(error.failure)
        default: return nil
        }
    }

    private init(_ kind: StoreError.Kind) {
        switch kind {
        case .notOurs, .corrupt, .conflict, .notFound: self = .badInput
        case .newerSchema, .olderSchema, .alteredSchema, .incomplete, .busy, .closed: self = .unavailable
        case .full, .io: self = .inputOutput
        case .permission: self = .noPermission
        case .internal: self = .internalError
        }
    }

    private init(_ kind: InputError.Kind) {
        switch kind {
        case .usage: self = .usage
        case .badData: self = .badInput
        case .inputOutput: self = .inputOutput
        case .permission: self = .noPermission
        }
    }

    /// A request that the model refused will be refused again; everything else may work later.
    private init(_ failure: FailureClass) {
        switch failure {
        case .permanent, .refused: self = .badInput
        default: self = .unavailable
        }
    }
}
