import JobModel
import Settings

extension Settings {
    /// Makes what schedules add, by this configuration.
    public var scheduleMaker: ScheduleMaker {
        // Until the catalog of pipelines is merged: then `PipelineCatalog(self).resolve(name, inputs: inputs, options: options, now: now)`.
        ScheduleMaker(self) { name, _, _, _ in
            throw InputError("pipeline \(InvalidText.quoted(name)) cannot be run: runs are not there yet", exit: .badData)
        }
    }
}
