import JobModel
import QueueStore
import Settings

extension Settings {
    /// Makes what schedules add, by this configuration and the pipelines that it knows.
    public func scheduleMaker(in store: QueueStore) -> ScheduleMaker {
        let catalog = PipelineCatalog(self)
        let planner = PipelinePlanner(store: store, settings: self)
        return ScheduleMaker(self) { try catalog.resolve($0, inputs: $1, options: $2, with: planner) }
    }
}
