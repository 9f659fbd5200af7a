import JobModel
import QueueStore

/// A worker as the reference model has it.
struct ReferenceWorker {
    var id: Int64
    var bootID: String
    var isAlive = true
    /// Where it notes its calls; given up with its life.
    var calls: CallRegion?
    /// The jobs whose calls it has noted as begun, and where.
    var begun: [Int64: Int] = [:]
}
