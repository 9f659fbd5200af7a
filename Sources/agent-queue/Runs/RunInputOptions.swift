import AgentQueue
import ArgumentParser
import JobModel
import Pipelines

/// What a run is given.
struct RunInputOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "An input; may be repeated. @file reads a file, @- standard input.",
            discussion: """
                Numbers, true and false, and objects are written as in JSON. A list is a JSON array, or its name given once for each \
                element: --input docs=@a.txt --input docs=@b.txt. A text that begins with @ is written @@.
                """, valueName: "name=value"))
    var input: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Read inputs from a file: a JSON object. --input goes before it.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var inputs: String?

    /// The inputs as an object, each of the type that the pipeline wants.
    ///
    /// - Throws: `InputError`; `CommandFailure` where a file cannot be read.
    func object(for pipeline: Pipeline) throws -> JSONValue {
        if input.count(where: { $0.hasSuffix("=@-") }) + (inputs == "-" ? 1 : 0) > 1 {
            throw CommandFailure(.usage, "standard input can be read once")
        }
        return try RunInputs(of: pipeline.inputs) { path in try InputText.read(path, subject: "the input") }
            .object(input, over: try inputs.map(Self.read))
    }

    private static func read(_ path: String) throws -> JSONValue {
        let name = path == "-" ? "standard input" : "'\(path)'"
        let value: JSONValue
        do {
            value = try JSONValue.parse(try InputText.read(path, subject: "the inputs"))
        } catch let error as JSONError {
            throw CommandFailure(.badInput, "what \(name) holds is \(error.description)")
        }
        guard value.members != nil else {
            throw CommandFailure(.badInput, "\(name) must hold an object of inputs, not \(value.kindName)")
        }
        return value
    }
}
