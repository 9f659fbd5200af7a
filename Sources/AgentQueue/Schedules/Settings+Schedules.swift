import JobModel
import Settings

extension Settings {
    /// Makes what schedules add, by this configuration and the pipelines that it knows.
    public var scheduleMaker: ScheduleMaker {
        let catalog = PipelineCatalog(self)
        // The first calls are begun by whoever carries runs on: a firing is no place to plan.
        return ScheduleMaker(self) { try catalog.resolve($0, inputs: $1, options: $2, now: $3) }
    }
}
