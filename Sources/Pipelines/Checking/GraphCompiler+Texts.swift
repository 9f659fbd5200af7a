import JobModel
import Settings

/// Templates, conditions and paths.
extension GraphCompiler {
    mutating func template(_ text: String, _ names: Names, key: String) -> PromptTemplate? {
        var compiler = TemplateCompiler(names)
        let template = compiler.template(text)
        let hasLines = text.utf8.contains(UInt8(ascii: "\n"))
        for fault in compiler.faults { report(fault.message, at: key, textLine: hasLines ? fault.line : nil) }
        noteInputs(template?.references)
        return template
    }

    mutating func condition(_ text: String, _ names: Names, key: String) -> Condition? {
        let condition: Condition
        do {
            condition = Condition(try Expression.parse(text))
        } catch {
            report("\(InvalidText.quoted(text)) is not a condition: \(error)", at: key)
            return nil
        }
        for reference in condition.references {
            do {
                _ = try names.shape(at: reference.path)
            } catch {
                report(error.message, at: key)
            }
        }
        noteInputs(condition.references)
        return condition
    }

    /// A path alone, and what is known of what it leads to.
    mutating func path(_ text: String, _ names: Names, key: String) -> (Reference, Shape)? {
        guard let path = fields(text, key: key) else { return nil }
        do {
            let shape = try names.shape(at: path)
            let reference = Reference(path: path)
            noteInputs([reference])
            return (reference, shape)
        } catch {
            report(error.message, at: key)
            return nil
        }
    }

    /// A path as its parts.
    mutating func fields(_ text: String, key: String) -> [Expression.Step]? {
        guard let expression = try? Expression.parse(text), case .field(let path) = expression, !path.isEmpty else {
            report("\(InvalidText.quoted(text)) is not a path (write one such as plan.parts)", at: key)
            return nil
        }
        return path
    }

    private mutating func noteInputs(_ references: [Reference]?) {
        for reference in references ?? [] where reference.root == "inputs" {
            if let name = reference.field { usedInputs.insert(name) }
        }
    }
}
