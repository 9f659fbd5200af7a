import ArgumentParser
import JobModel

/// Which jobs a command changes: by number, or by what they are.
struct JobSelection: ParsableArguments {
    @Argument(help: ArgumentHelp("The jobs' numbers.", valueName: "id"))
    var ids: [Int64] = []

    @OptionGroup(title: "Or every job that fits")
    var filters: FilterOptions

    func validate() throws {
        let isFiltered = !filters.filter.isEmpty
        if ids.isEmpty, !isFiltered {
            throw ValidationError("say which jobs: by number, or with --batch, --state, --queue, --model, --tag or --since")
        }
        if !ids.isEmpty, isFiltered {
            throw ValidationError("jobs are chosen by number or by filters, not by both")
        }
    }
}
